package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Progress is how far the work on a row is, in bytes.
type Progress struct{ BytesDone, BytesTotal int64 }

// ProgressOf gives how far the job that is at work on a row has come, as it last
// noted; zero when there is no such job, or it copies nothing. resource is volume,
// snapshot, backup, …
func (d *DB) ProgressOf(ctx context.Context, resource, id string) (p Progress, err error) {
	rows, err := d.pool.Query(ctx, `SELECT COALESCE((j.metadata->'`+JobNotes+`'->>'bytes_done')::bigint, 0),
			(j.metadata->'`+JobNotes+`'->>'bytes_total')::bigint
		FROM river_job j WHERE j.args @> jsonb_build_object($1::text, $2::text) AND j.finalized_at IS NULL
			AND j.metadata->'`+JobNotes+`' ? 'bytes_total' ORDER BY j.id DESC LIMIT 1`, resource+"_id", id)
	if err != nil {
		return p, err
	}
	_, err = pgx.ForEachRow(rows, []any{&p.BytesDone, &p.BytesTotal}, func() error { return nil })
	return p, err
}
