package db

import (
	"context"

	"gorm.io/gorm"
)

// What the tests of pipeline.go call, which else only this package's files do.

func (t *Tx) Later(sql string, args ...any)              { t.later(sql, args...) }
func (t *Tx) Expect(none error, sql string, args ...any) { t.expect(none, sql, args...) }
func (t *Tx) GORM() *gorm.DB                             { return t.gorm }

func (d *DB) Once(ctx context.Context, fn func(*Tx) error) error { return d.once(ctx, fn) }

func (t *Tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	return t.exec(ctx, sql, args...)
}

// Purged gives the tables that Purge takes rows from, and which references it knows.
func Purged() (tables, references []string) {
	for _, g := range graves {
		tables = append(tables, g.table)
		references = append(append(references, g.needs...), g.parts...)
	}
	return tables, references
}
