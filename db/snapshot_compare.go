package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// SnapshotsEver gives snapshots by id, those that have been deleted too, but not
// those that were let go or are not ours yet.
func (d *DB) SnapshotsEver(ctx context.Context, ids []string) (map[string]Snapshot, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+snapshots.columns+" FROM snapshots s WHERE s.id = ANY($1::uuid[])"+notReleasedSQL("s.id"), valid(ids))
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanSnapshot)
	byID := make(map[string]Snapshot, len(found))
	for _, s := range found {
		byID[s.ID] = s
	}
	return byID, err
}

// SnapshotsResting gives the ids of the live snapshots of a pool that their node must
// have, and of which nothing has changed for that long, with those of their volumes.
func (d *DB) SnapshotsResting(ctx context.Context, poolID string, quiet time.Duration) ([]Snapshot, error) {
	rows, err := d.pool.Query(ctx, `SELECT s.id, s.volume_id FROM snapshots s
		WHERE s.pool_id = $1 AND s.deleted_at IS NULL AND s.status = 'available' AND s.claimed_bytes > 0
			AND COALESCE(s.updated_at, s.created_at) <= now() - $2::interval`, poolID, quiet)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Snapshot, err error) { return s, row.Scan(&s.ID, &s.VolumeID) })
}

// IsRemains tells whether what a pool's node has under this row's id is but
// remains: the snapshot was deleted, is elsewhere, or was never finished.
func (s Snapshot) IsRemains(poolID string) bool {
	failed := s.Status == SnapshotError && s.ClaimedBytes == 0
	return s.DeletedAt != nil || deref(s.PoolID) != poolID || failed
}

// OutdateSnapshot raises the generation of a snapshot that has remains on a
// node, so that they can be taken away there, and gives the new generation.
// Conflict when the snapshot has changed.
func (t *Tx) OutdateSnapshot(ctx context.Context, s Snapshot, poolID string) (int64, error) {
	moved, err := t.MoveSnapshotAt(ctx, s, SnapshotOutdated, "", nil)
	if err == nil && !moved.IsRemains(poolID) {
		err = fault.New(fault.Conflict, "Snapshot %s has come to the pool meanwhile.", s.ID)
	}
	return moved.Generation, err
}
