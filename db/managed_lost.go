package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// ManagedWork is a volume or snapshot whose managing or unmanaging nobody goes on
// with.
type ManagedWork struct {
	Snapshot            bool
	ID, Status, Request string
	Generation          int64
}

// lostManagedSQL finds those in a moving status that no job will move, as
// lostJobsSQL does.
var lostManagedSQL = `SELECT false, v.id, v.status, v.request_id, v.generation FROM volumes v
	WHERE v.deleted_at IS NULL AND v.status IN ('managing', 'unmanaging')
		AND COALESCE(v.updated_at, v.created_at) <= now() - $1::interval
		AND ` + jobless("CASE v.status WHEN 'managing' THEN 'volume_manage' ELSE 'volume_unmanage' END", "volume_id", "v.id") + `
	UNION ALL SELECT true, s.id, s.status, s.request_id, s.generation FROM snapshots s
	WHERE s.deleted_at IS NULL AND s.status IN ('managing', 'unmanaging')
		AND COALESCE(s.updated_at, s.created_at) <= now() - $1::interval
		AND ` + jobless("CASE s.status WHEN 'managing' THEN 'snapshot_manage' ELSE 'snapshot_unmanage' END", "snapshot_id", "s.id") + `
	LIMIT $2`

// LostManaged gives those that have been in a moving status for that long and
// have no job, at most limit of them.
func (d *DB) LostManaged(ctx context.Context, quiet time.Duration, limit int) ([]ManagedWork, error) {
	return d.managedWork(ctx, lostManagedSQL, quiet, limit)
}

// interruptedManagedSQL finds those in error whose last history entry is one of
// the reasons, and whose pool has answered a poll since.
const interruptedManagedSQL = `SELECT false, v.id, CASE h.reason WHEN $1 THEN 'managing' ELSE 'unmanaging' END, v.request_id, v.generation
	FROM volumes v JOIN volume_history h ON h.volume_id = v.id AND h.generation = v.generation AND h.reason IN ($1, $2)
	LEFT JOIN managed m ON m.resource_id = v.id JOIN pools p ON p.id = COALESCE(v.pool_id, m.pool_id) AND p.polled_at > v.updated_at
	WHERE v.deleted_at IS NULL AND v.status IN ('error_managing', 'error_unmanaging')
	UNION ALL SELECT true, s.id, CASE h.reason WHEN $1 THEN 'managing' ELSE 'unmanaging' END, s.request_id, s.generation
	FROM snapshots s JOIN snapshot_history h ON h.snapshot_id = s.id AND h.generation = s.generation AND h.reason IN ($1, $2)
	JOIN pools p ON p.id = s.pool_id AND p.polled_at > s.updated_at
	WHERE s.deleted_at IS NULL AND s.status = 'error' LIMIT $3`

// InterruptedManaged gives those that a silent node ended, at most limit; manage
// and unmanage are what the history says of them then.
func (d *DB) InterruptedManaged(ctx context.Context, manage, unmanage string, limit int) ([]ManagedWork, error) {
	return d.managedWork(ctx, interruptedManagedSQL, manage, unmanage, limit)
}

func (d *DB) managedWork(ctx context.Context, sql string, args ...any) ([]ManagedWork, error) {
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (w ManagedWork, err error) {
		return w, row.Scan(&w.Snapshot, &w.ID, &w.Status, &w.Request, &w.Generation)
	})
}

// ManagedAgain gives such a one a new job. Conflict when it was moved meanwhile.
func (t *Tx) ManagedAgain(ctx context.Context, w ManagedWork) error {
	return t.takeUp(ctx, w, ManagedJobLost, SnapshotManagedLost)
}

// ResumeManaged goes on with an interrupted one. Conflict when it was moved
// meanwhile.
func (t *Tx) ResumeManaged(ctx context.Context, w ManagedWork) error {
	if w.Status == "managing" {
		return t.takeUp(ctx, w, ManageResume, SnapshotManageResume)
	}
	return t.takeUp(ctx, w, UnmanageResume, SnapshotUnmanageResume)
}

func (t *Tx) takeUp(ctx context.Context, w ManagedWork, volume, snapshot Move) error {
	var err error
	if w.Snapshot {
		_, err = t.MoveSnapshotAt(ctx, Snapshot{ID: w.ID, Generation: w.Generation}, snapshot, "", nil)
	} else {
		_, err = t.MoveVolumeAt(ctx, Volume{ID: w.ID, Generation: w.Generation}, volume, "", nil)
	}
	if err != nil {
		return err
	}
	return t.Enqueue(ctx, w.job())
}

func (w ManagedWork) job() river.JobArgs {
	switch {
	case w.Snapshot && w.Status == "managing":
		return SnapshotManageArgs{SnapshotID: w.ID, Request: w.Request}
	case w.Snapshot:
		return SnapshotUnmanageArgs{SnapshotID: w.ID, Request: w.Request}
	case w.Status == "managing":
		return VolumeManageArgs{VolumeID: w.ID, Request: w.Request}
	}
	return VolumeUnmanageArgs{VolumeID: w.ID, Request: w.Request}
}
