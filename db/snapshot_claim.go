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
	named := pgx.NamedArgs{"snapshot": s.ID, "bytes": int64(s.SizeGiB) << 30, "thick": false}
	tag, err := d.pool.Exec(ctx, claimSnapshotSQL, named)
	if err != nil || tag.RowsAffected() == 1 {
		return err == nil, err
	}
	var has bool
	err = d.pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM snapshots WHERE id = @snapshot AND claimed_bytes > 0 AND deleted_at IS NULL)", named).Scan(&has)
	return has, err
}

// leaveSnapshotPool is move for a snapshot that gives back its claim with it; set must not be
// nil. The row is written once: PostgreSQL looks at the foreign key of a row that a
// transaction writes a second time, and so would lock the volume behind the pool,
// which whoever extends the volume locks the other way round.
func (t *Tx) leaveSnapshotPool(ctx context.Context, id string, generation int64, m Move, reason string, set map[string]any) (Snapshot, error) {
	var claimed int64
	t.ask([]any{&claimed}, "SELECT claimed_bytes FROM snapshots WHERE id = $1 FOR UPDATE", id)
	set["claimed_bytes"] = 0
	moved, err := movedSnapshots.move(ctx, t, id, generation, m, reason, set)
	if err == nil && claimed > 0 {
		t.later("UPDATE pools SET allocated_bytes = allocated_bytes - $2 WHERE id = $1", moved.PoolID, claimed)
	}
	return moved, err
}
