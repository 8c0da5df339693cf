package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// LostMigration is a migration that no job works on.
type LostMigration struct{ VolumeID, Request string }

// LostMigrations gives migrations that are that old and have no job, at most
// limit of them. Those that Nova works on need none.
func (d *DB) LostMigrations(ctx context.Context, quiet time.Duration, limit int) ([]LostMigration, error) {
	rows, err := d.pool.Query(ctx, `SELECT m.volume_id, m.request_id FROM volume_migrations m
		WHERE m.created_at <= now() - $1::interval
			AND `+jobless("'volume_migrate'", "volume_id", "m.volume_id")+`
		ORDER BY m.created_at LIMIT $2`, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[LostMigration])
}

// MigrateAgain gives such a migration a new job. Two jobs do no harm: each step is
// of one generation of the volume's row.
func (t *Tx) MigrateAgain(ctx context.Context, l LostMigration) error {
	return t.Enqueue(ctx, VolumeMigrateArgs{VolumeID: l.VolumeID, Request: l.Request})
}
