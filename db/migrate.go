package db

import (
	"context"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"clinker/migrations"
)

// Migrate brings the schema to the newest version, River's tables included. It
// may be run by several processes at once and again: a lock in the database
// lets one work at a time.
func (d *DB) Migrate(ctx context.Context) error {
	provider, err := d.goose()
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	jobs, err := rivermigrate.New(riverpgxv5.New(d.pool), &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return fmt.Errorf("open River's migrations: %w", err)
	}
	if _, err := jobs.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the job tables: %w", err)
	}
	// Nobody looks for jobs by their metadata, but every change of a job would
	// pay for the index.
	if _, err := d.pool.Exec(ctx, "DROP INDEX IF EXISTS river_job_metadata_index"); err != nil {
		return fmt.Errorf("drop an index of the job tables: %w", err)
	}
	return nil
}

// SchemaVersion tells the number of the newest migration applied and of the
// newest that this program knows.
func (d *DB) SchemaVersion(ctx context.Context) (applied, known int64, err error) {
	provider, err := d.goose()
	if err != nil {
		return 0, 0, err
	}
	return provider.GetVersions(ctx)
}

func (d *DB) goose() (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("make the migration lock: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, d.sql, migrations.Files,
		goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}
