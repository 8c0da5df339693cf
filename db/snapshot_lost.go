package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// lostSnapshotsSQL finds snapshots in a moving status that no job will move, as
// lostJobsSQL does volumes. Those of a group snapshot are made by its job,
// while it is being created.
var lostSnapshotsSQL = `SELECT s.id, s.status, s.generation, s.request_id
	FROM snapshots s JOIN (VALUES ('creating', 'snapshot_create'), ('deleting', 'snapshot_delete')) AS moving (status, kind) USING (status)
	WHERE s.deleted_at IS NULL AND s.status IN ('creating', 'deleting') AND (s.status = 'deleting' OR s.group_snapshot_id IS NULL
			OR NOT EXISTS (SELECT 1 FROM group_snapshots g WHERE g.id = s.group_snapshot_id AND g.status = 'creating'))
		AND COALESCE(s.updated_at, s.created_at) <= now() - $1::interval
		AND ` + jobless("moving.kind", "snapshot_id", "s.id") + `
	ORDER BY s.updated_at LIMIT $2`

// LostSnapshots gives snapshots that have been in a moving status for that long
// and have no job, at most limit of them.
func (d *DB) LostSnapshots(ctx context.Context, quiet time.Duration, limit int) ([]Snapshot, error) {
	rows, err := d.pool.Query(ctx, lostSnapshotsSQL, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLostSnapshot)
}

func scanLostSnapshot(row pgx.CollectableRow) (s Snapshot, err error) {
	return s, row.Scan(&s.ID, &s.Status, &s.Generation, &s.RequestID)
}

// SnapshotAgain gives such a snapshot a new job. Conflict when it was moved
// meanwhile.
func (t *Tx) SnapshotAgain(ctx context.Context, s Snapshot) error {
	if _, err := t.MoveSnapshotAt(ctx, s, SnapshotJobLost, "", nil); err != nil {
		return err
	}
	if s.Status == SnapshotCreating {
		return t.Enqueue(ctx, SnapshotCreateArgs{SnapshotID: s.ID, Request: s.RequestID})
	}
	return t.Enqueue(ctx, SnapshotDeleteArgs{SnapshotID: s.ID, Request: s.RequestID})
}

// lostRevertsSQL is the same for volumes that are being reverted.
var lostRevertsSQL = `SELECT v.id, v.generation, v.request_id FROM volumes v
	WHERE v.deleted_at IS NULL AND v.status = 'reverting' AND v.updated_at <= now() - $1::interval
		AND ` + jobless("'volume_revert'", "volume_id", "v.id") + `
	ORDER BY v.updated_at LIMIT $2`

// LostReverts gives volumes that have been in status reverting for that long and
// have no job, at most limit of them.
func (d *DB) LostReverts(ctx context.Context, quiet time.Duration, limit int) ([]Volume, error) {
	rows, err := d.pool.Query(ctx, lostRevertsSQL, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLost)
}

func scanLost(row pgx.CollectableRow) (v Volume, err error) {
	return v, row.Scan(&v.ID, &v.Generation, &v.RequestID)
}

// RevertAgain gives such a volume a new job. Conflict when it was moved
// meanwhile.
func (t *Tx) RevertAgain(ctx context.Context, v Volume) error {
	if _, err := t.MoveVolumeAt(ctx, v, RevertLost, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeRevertArgs{VolumeID: v.ID, Request: v.RequestID})
}

// StrandedRestores gives snapshots that have been in status restoring for that
// long although their volume is not being reverted (an administrator has reset
// its status); at most limit.
func (d *DB) StrandedRestores(ctx context.Context, quiet time.Duration, limit int) ([]Snapshot, error) {
	rows, err := d.pool.Query(ctx, `SELECT s.id, s.status, s.generation, s.request_id
		FROM snapshots s JOIN volumes v ON v.id = s.volume_id
		WHERE s.deleted_at IS NULL AND s.status = 'restoring' AND v.status <> 'reverting'
			AND s.updated_at <= now() - $1::interval LIMIT $2`, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLostSnapshot)
}

// EndRestore makes such a snapshot available again. Conflict when it was moved
// meanwhile.
func (t *Tx) EndRestore(ctx context.Context, s Snapshot) error {
	_, err := t.MoveSnapshotAt(ctx, s, SnapshotRestoreEnd, "its volume is not being reverted", nil)
	return err
}

// InterruptedSnapshotDeletes gives snapshots in error_deleting whose last
// history entry has that reason, and whose pool has answered a poll since; at
// most limit.
func (d *DB) InterruptedSnapshotDeletes(ctx context.Context, reason string, limit int) ([]Snapshot, error) {
	rows, err := d.pool.Query(ctx, `SELECT s.id, s.status, s.generation, s.request_id FROM snapshots s
		JOIN snapshot_history h ON h.snapshot_id = s.id AND h.generation = s.generation AND h.reason = $1
		JOIN pools p ON p.id = s.pool_id AND p.polled_at > s.updated_at
		WHERE s.deleted_at IS NULL AND s.status = 'error_deleting' LIMIT $2`, reason, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLostSnapshot)
}

// ResumeSnapshotDelete goes on with an interrupted deletion. Conflict when the
// snapshot was moved meanwhile.
func (t *Tx) ResumeSnapshotDelete(ctx context.Context, s Snapshot) error {
	if _, err := t.MoveSnapshotAt(ctx, s, SnapshotDeleteResume, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, SnapshotDeleteArgs{SnapshotID: s.ID, Request: s.RequestID})
}

// InterruptedReverts gives volumes in error whose last history entry has that
// reason, and whose pool has answered a poll since; at most limit.
func (d *DB) InterruptedReverts(ctx context.Context, reason string, limit int) ([]Volume, error) {
	rows, err := d.pool.Query(ctx, `SELECT v.id, v.generation, v.request_id FROM volumes v
		JOIN volume_history h ON h.volume_id = v.id AND h.generation = v.generation AND h.reason = $1
		JOIN pools p ON p.id = v.pool_id AND p.polled_at > v.updated_at
		WHERE v.deleted_at IS NULL AND v.status = 'error' LIMIT $2`, reason, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLost)
}
