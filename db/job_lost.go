package db

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// LostJob is a volume in a moving status that no job will move.
type LostJob struct {
	Volume Volume
	last   []byte // arguments of the last job there was for it, nil for none
}

// jobless is the condition that no job of a kind, an SQL expression, is about a row,
// whose id its arguments hold under that key. One that is not over is enough, be it
// running, waiting or about to be tried again. The jobs are read once and hashed, and
// not looked through for each row: of both there may be tens of thousands.
func jobless(kind, key, id string) string {
	return "(" + kind + ", " + id + "::text) NOT IN (SELECT j.kind, j.args->>'" + key + "' FROM river_job j WHERE j.args->>'" + key + `' IS NOT NULL
			AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled'))`
}

// lostJobsSQL finds them by status, see LostJob.job.
var lostJobsSQL = `SELECT v.id, v.status, v.generation, v.request_id,
		(SELECT j.args FROM river_job j WHERE j.kind = moving.kind
			AND j.args @> jsonb_build_object('volume_id', v.id) ORDER BY j.id DESC LIMIT 1)
	FROM volumes v JOIN (VALUES ('creating', 'volume_create'), ('downloading', 'volume_create'),
		('extending', 'volume_extend'), ('deleting', 'volume_delete')) AS moving (status, kind) USING (status)
	WHERE v.deleted_at IS NULL AND v.status IN ('creating', 'deleting', 'extending', 'downloading')
		AND COALESCE(v.updated_at, v.created_at) <= now() - $1::interval
		AND (v.status <> 'downloading' OR v.launched_at IS NULL) -- else it is being re-imaged
		AND (v.status <> 'creating' OR NOT EXISTS (SELECT 1 FROM volume_migrations m WHERE m.new_volume_id = v.id)) -- else the migration's job makes it
		AND ` + jobless("moving.kind", "volume_id", "v.id") + `
	ORDER BY v.updated_at LIMIT $2`

// LostJobs gives volumes that have been in a moving status for that long and
// have no job, at most limit of them.
func (d *DB) LostJobs(ctx context.Context, quiet time.Duration, limit int) ([]LostJob, error) {
	rows, err := d.pool.Query(ctx, lostJobsSQL, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (LostJob, error) {
		var l LostJob
		err := row.Scan(&l.Volume.ID, &l.Volume.Status, &l.Volume.Generation, &l.Volume.RequestID, &l.last)
		return l, err
	})
}

// JobAgain gives a volume a new job, with the arguments of the lost one as far
// as they are known. Conflict when the volume was moved meanwhile.
func (t *Tx) JobAgain(ctx context.Context, l LostJob) error {
	if _, err := t.MoveVolumeAt(ctx, l.Volume, JobLost, "", nil); err != nil {
		return err
	}
	args, err := l.job()
	if err != nil {
		return err
	}
	return t.Enqueue(ctx, args)
}

func (l LostJob) job() (river.JobArgs, error) {
	id, request := l.Volume.ID, l.Volume.RequestID
	switch l.Volume.Status {
	case "extending":
		return VolumeExtendArgs{VolumeID: id, Request: request}, nil
	case "deleting":
		return VolumeDeleteArgs{VolumeID: id, Request: request}, nil
	}
	args := VolumeCreateArgs{VolumeID: id, Request: request}
	if l.last == nil {
		return args, nil
	}
	return args, json.Unmarshal(l.last, &args)
}
