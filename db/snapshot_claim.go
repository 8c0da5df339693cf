package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A snapshot counts in its pool what it may come to need there, and what its
// node counts as its live bytes: its whole size. In a pool that promises no
// more than it has (thick LVM) that is the store which LVM sets aside for it;
// elsewhere it counts for over-subscription only. It stays as long as it is when
// its volume grows.

// claimSnapshotSQL locks the snapshot, then takes the room, then notes it, as
// for a volume.
const claimSnapshotSQL = `WITH mine AS (
		SELECT id, pool_id FROM snapshots WHERE id = @snapshot AND deleted_at IS NULL AND status || '' = 'creating'
			AND claimed_bytes = 0 FOR UPDATE
	), room AS (
		UPDATE pools p SET allocated_bytes = p.allocated_bytes + @bytes
		FROM mine WHERE p.id = mine.pool_id AND ` + fitsSQL + ` RETURNING p.id
	)
	UPDATE snapshots s SET claimed_bytes = @bytes FROM room WHERE s.id = @snapshot`

// ClaimSnapshot promises the room that a snapshot may need in its volume's
// pool. false when there is none, or the snapshot is no longer being created.
// May be repeated: it counts once.
func (d *DB) ClaimSnapshot(ctx context.Context, s Snapshot) (bool, error) {
	named := pgx.NamedArgs{"snapshot": s.ID, "bytes": int64(s.SizeGiB) << 30}
	tag, err := d.pool.Exec(ctx, claimSnapshotSQL, named)
	if err != nil || tag.RowsAffected() == 1 {
		return err == nil, err
	}
	var has bool
	err = d.pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM snapshots WHERE id = @snapshot AND claimed_bytes > 0 AND deleted_at IS NULL)", named).Scan(&has)
	return has, err
}

// UnclaimSnapshot gives back a snapshot's claim. May be repeated. Call it behind
// a MoveSnapshot, which keeps others out.
func (t *Tx) UnclaimSnapshot(ctx context.Context, id string) error {
	t.later(`WITH was AS (
			SELECT id, pool_id, claimed_bytes FROM snapshots WHERE id = $1 AND claimed_bytes > 0 FOR UPDATE
		), given AS (
			UPDATE snapshots s SET claimed_bytes = 0 FROM was WHERE s.id = was.id
		)
		UPDATE pools p SET allocated_bytes = p.allocated_bytes - was.claimed_bytes FROM was WHERE p.id = was.pool_id`, id)
	return nil
}
