package main

import (
	"context"
	"fmt"

	"clinker/db"
)

// dbCommand looks after the database.
type dbCommand struct {
	Migrate dbMigrate `cmd:"" help:"Bring the schema to this program's version. May be repeated."`
	Version dbVersion `cmd:"" help:"Tell the schema's version."`
}

type dbMigrate struct{}

// Run is kong's.
func (dbMigrate) Run(ctx context.Context, c *commands) error {
	return withSchema(ctx, c, (*db.DB).Migrate)
}

type dbVersion struct{}

// Run is kong's.
func (dbVersion) Run(ctx context.Context, c *commands) error {
	return withSchema(ctx, c, func(*db.DB, context.Context) error { return nil })
}

// withSchema runs what a subcommand is to do with the schema, and tells its version
// afterwards.
func withSchema(ctx context.Context, c *commands, do func(d *db.DB, ctx context.Context) error) error {
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	d, err := connectDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := do(d, ctx); err != nil {
		return err
	}
	applied, known, err := d.SchemaVersion(ctx)
	if err == nil {
		fmt.Printf("schema %d, this program knows %d\n", applied, known)
	}
	return err
}
