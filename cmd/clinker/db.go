package main

import (
	"context"
	"fmt"
	"time"

	"clinker/db"
	"clinker/internal/conf"
	"clinker/internal/fault"
)

// dbCommand looks after the database.
type dbCommand struct {
	Migrate dbMigrate `cmd:"" help:"Bring the schema to this program's version. May be repeated."`
	Version dbVersion `cmd:"" help:"Tell the schema's version."`
	Purge   dbPurge   `cmd:"" help:"Remove for good the rows of what was deleted long ago. May be repeated, and run beside the services."`
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

type dbPurge struct {
	Days int `arg:"" help:"How long ago it must have been deleted: more than any storage node stays away."`
}

// Run is kong's.
func (p dbPurge) Run(ctx context.Context, c *commands) error {
	if p.Days < 1 {
		return fault.New(fault.Invalid, "%d days: at least one is needed, for what was deleted today may still be taken away from its node", p.Days)
	}
	return withDatabase(ctx, c, func(d *db.DB, _ *conf.Config) error {
		return d.Purge(ctx, time.Now().AddDate(0, 0, -p.Days), func(table string, rows int) { fmt.Printf("%-16s %d\n", table, rows) })
	})
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
