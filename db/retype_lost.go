package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// lostRetypesSQL finds volumes in status retyping that no job will move, as
// lostJobsSQL does those of other statuses.
var lostRetypesSQL = `SELECT v.id, v.generation, v.request_id FROM volumes v
	WHERE v.deleted_at IS NULL AND v.status = 'retyping' AND v.updated_at <= now() - $1::interval
		AND NOT EXISTS (SELECT 1 FROM volume_migrations m WHERE m.volume_id = v.id)
		AND ` + jobless("'volume_retype'", "volume_id", "v.id") + `
	ORDER BY v.updated_at LIMIT $2`

// LostRetypes gives volumes that have been in status retyping for that long and
// have no job, at most limit of them.
func (d *DB) LostRetypes(ctx context.Context, quiet time.Duration, limit int) ([]Volume, error) {
	rows, err := d.pool.Query(ctx, lostRetypesSQL, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLost)
}

// RetypeAgain gives such a volume a new job. Conflict when it was moved
// meanwhile.
func (t *Tx) RetypeAgain(ctx context.Context, v Volume) error {
	if _, err := t.MoveVolumeAt(ctx, v, RetypeLost, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeRetypeArgs{VolumeID: v.ID, Request: v.RequestID})
}
