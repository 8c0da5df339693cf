package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Progress is how far the work on a row is, in bytes.
type Progress struct{ BytesDone, BytesTotal int64 }

// progressSQL reads the notes of the newest job under way that is about one of the
// rows about.
const progressSQL = `SELECT COALESCE((j.metadata->'` + JobNotes + `'->>'bytes_done')::bigint, 0),
		(j.metadata->'` + JobNotes + `'->>'bytes_total')::bigint
	FROM about JOIN river_job j ON j.args @> about.row
	WHERE j.finalized_at IS NULL AND j.metadata->'` + JobNotes + `' ? 'bytes_total' ORDER BY j.id DESC LIMIT 1`

// VolumeProgress gives how far the copy of a volume's bytes has come, as the job
// last noted that is making it, moving it, backing it up or restoring it; zero when
// there is none that copies.
func (d *DB) VolumeProgress(ctx context.Context, id string) (Progress, error) {
	return d.progress(ctx, `WITH about AS (SELECT jsonb_build_object('volume_id', $1::text) AS row
		UNION ALL SELECT jsonb_build_object('backup_id', b.id) FROM backups b WHERE b.deleted_at IS NULL
			AND b.volume_id = $1::uuid AND b.status = 'creating'
		UNION ALL SELECT jsonb_build_object('backup_id', b.id) FROM backups b WHERE b.deleted_at IS NULL
			AND b.restore_volume_id = $1::uuid AND b.status = 'restoring') `, id)
}

// BackupProgress is the same for a backup that is being made or restored.
func (d *DB) BackupProgress(ctx context.Context, id string) (Progress, error) {
	return d.progress(ctx, "WITH about AS (SELECT jsonb_build_object('backup_id', $1::text) AS row) ", id)
}

func (d *DB) progress(ctx context.Context, about, id string) (p Progress, err error) {
	rows, err := d.pool.Query(ctx, about+progressSQL, id)
	if err != nil {
		return p, err
	}
	_, err = pgx.ForEachRow(rows, []any{&p.BytesDone, &p.BytesTotal}, func() error { return nil })
	return p, err
}
