package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// InterruptedDeletes gives volumes in error_deleting whose last history entry
// has that reason, and whose pool has answered a poll since; at most limit.
func (d *DB) InterruptedDeletes(ctx context.Context, reason string, limit int) ([]Volume, error) {
	return d.interrupted(ctx, "error_deleting", reason, limit)
}

// InterruptedExtends is the same for volumes in error_extending whose extension is
// suspended.
func (d *DB) InterruptedExtends(ctx context.Context, reason string, limit int) ([]Volume, error) {
	return d.interrupted(ctx, "error_extending", reason, limit)
}

func (d *DB) interrupted(ctx context.Context, status, reason string, limit int) ([]Volume, error) {
	rows, err := d.pool.Query(ctx, `SELECT v.id, v.generation, v.request_id FROM volumes v
		JOIN volume_history h ON h.volume_id = v.id AND h.generation = v.generation AND h.reason = $1
		JOIN pools p ON p.id = v.pool_id AND p.polled_at > v.updated_at
		WHERE v.deleted_at IS NULL AND v.status = '`+status+`' LIMIT $2`, reason, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Volume, err error) {
		return v, row.Scan(&v.ID, &v.Generation, &v.RequestID)
	})
}

// ResumeDelete goes on with an interrupted deletion. Conflict when the volume
// was moved meanwhile.
func (t *Tx) ResumeDelete(ctx context.Context, v Volume) error {
	if _, err := t.MoveVolumeAt(ctx, v, DeleteResume, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeDeleteArgs{VolumeID: v.ID, Request: v.RequestID})
}
