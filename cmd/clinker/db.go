package main

import (
	"context"
	"fmt"
)

// dbCommand looks after the database.
type dbCommand struct {
	Migrate dbMigrate `cmd:"" help:"Bring the schema to this program's version. May be repeated."`
	Version dbVersion `cmd:"" help:"Tell the schema's version."`
}

type dbMigrate struct{}

// Run is kong's.
func (dbMigrate) Run(ctx context.Context, c *commands) error {
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	d, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Migrate(ctx)
}

type dbVersion struct{}

// Run is kong's.
func (dbVersion) Run(ctx context.Context, c *commands) error {
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	d, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	applied, known, err := d.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("schema %d, this program knows %d\n", applied, known)
	return nil
}
