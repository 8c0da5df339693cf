// Package migrations holds the database's history as goose SQL files.
//
// A file is never changed once it has landed; a new one follows it. What River
// needs for its jobs is migrated by River's own migrator, from db.Migrate.
package migrations

import "embed"

// Files are the migrations, numbered in the order in which they are applied.
//
//go:embed *.sql
var Files embed.FS
