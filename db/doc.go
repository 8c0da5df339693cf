// Package db is all that Clinker remembers: models and queries, one file per
// family of tables, on one pool of connections to PostgreSQL.
//
// Three rules hold everywhere:
//
//   - A status changes only by compare-and-set, in transition.go, through a
//     Move that names the statuses it may start from. No lock is held while
//     anybody is waited for.
//   - What must be true together is written together: the row, the quota that
//     counts it, the job that will work on it. Tx is the only way to write.
//   - A list runs a fixed number of statements, whatever its length.
//
// What every request and job writes goes through pipeline.go, by hand; GORM maps
// the rows of what is rarer, in the same transactions. Save, Updates with a
// struct, and AutoMigrate are not used: the first two write columns that nobody
// meant, the last changes a schema that only migrations/ may change.
package db
