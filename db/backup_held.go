package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// HeldForBackup gives volumes that have been backing-up or restoring-backup for
// that long although no backup is made of them, or restored to them, any more: an
// administrator has reset a status. At most limit.
func (d *DB) HeldForBackup(ctx context.Context, quiet time.Duration, limit int) ([]Volume, error) {
	rows, err := d.pool.Query(ctx, `SELECT v.id, v.generation, v.status FROM volumes v
		WHERE v.deleted_at IS NULL AND v.status IN ('backing-up', 'restoring-backup') AND v.updated_at <= now() - $1::interval
			AND NOT EXISTS (SELECT 1 FROM backups b WHERE b.deleted_at IS NULL AND b.status IN ('creating', 'restoring') AND CASE v.status
				WHEN 'backing-up' THEN b.status = 'creating' AND b.volume_id = v.id AND b.snapshot_id IS NULL
				ELSE b.status = 'restoring' AND b.restore_volume_id = v.id END)
		LIMIT $2`, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Volume, err error) {
		return v, row.Scan(&v.ID, &v.Generation, &v.Status)
	})
}

// LetGoOfVolume ends that: what was only read is as it was, what was written over
// is in error_restoring. Conflict when it was moved meanwhile.
func (t *Tx) LetGoOfVolume(ctx context.Context, v Volume) error {
	m, reason := BackUpEnd, "no backup is being made of it"
	if v.Status == "restoring-backup" {
		m, reason = RestoreFailed, "no backup is being restored to it"
	}
	_, err := t.MoveVolumeAt(ctx, v, m, reason, nil)
	return err
}

// SnapshotsHeldForBackup is HeldForBackup for snapshots.
func (d *DB) SnapshotsHeldForBackup(ctx context.Context, quiet time.Duration, limit int) ([]Snapshot, error) {
	rows, err := d.pool.Query(ctx, `SELECT s.id, s.status, s.generation, s.request_id FROM snapshots s
		WHERE s.deleted_at IS NULL AND s.status = 'backing-up' AND s.updated_at <= now() - $1::interval
			AND NOT EXISTS (SELECT 1 FROM backups b WHERE b.deleted_at IS NULL AND b.status = 'creating' AND b.snapshot_id = s.id)
		LIMIT $2`, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLostSnapshot)
}

// LetGoOfSnapshot is LetGoOfVolume for a snapshot.
func (t *Tx) LetGoOfSnapshot(ctx context.Context, s Snapshot) error {
	_, err := t.MoveSnapshotAt(ctx, s, SnapshotBackUpEnd, "no backup is being made of it", nil)
	return err
}

// InterruptedBackupRestores gives volumes in error_restoring whose last history
// entry has that reason, and whose pool has answered a poll since; at most limit.
func (d *DB) InterruptedBackupRestores(ctx context.Context, reason string, limit int) ([]Volume, error) {
	rows, err := d.pool.Query(ctx, `SELECT v.id, v.generation, v.request_id FROM volumes v
		JOIN volume_history h ON h.volume_id = v.id AND h.generation = v.generation AND h.reason = $1
		JOIN pools p ON p.id = v.pool_id AND p.polled_at > v.updated_at
		WHERE v.deleted_at IS NULL AND v.status = 'error_restoring' LIMIT $2`, reason, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLost)
}
