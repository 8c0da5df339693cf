package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A snapshot counts in its pool what it may come to need there, and what its
// node counts as its live bytes: its whole size. In a pool that promises no
// more than it has (thick LVM) that is the store which LVM sets aside for it,
// and that store grows with the volume; elsewhere it counts for
// over-subscription only.

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
	return t.lowerSnapshots("s.id = ?", id, 0)
}

// claimStores raises the claims of a volume's snapshots in a pool where their
// stores must grow with the volume, and tells by how much in all; the pool
// itself is counted by the caller, who holds the volume.
func (t *Tx) claimStores(volumeID string, toBytes int64) (growth int64, err error) {
	err = t.gorm.Raw(`WITH was AS (
			SELECT s.id, s.claimed_bytes FROM snapshots s JOIN pools p ON p.id = s.pool_id AND NOT p.thin
			WHERE s.volume_id = @volume AND s.deleted_at IS NULL AND s.claimed_bytes > 0 AND s.claimed_bytes < @to
			ORDER BY s.id FOR UPDATE OF s
		), raised AS (
			UPDATE snapshots s SET claimed_bytes = @to FROM was WHERE s.id = was.id
			RETURNING CAST(@to AS bigint) - was.claimed_bytes AS growth
		)
		SELECT COALESCE(sum(growth), 0) FROM raised`,
		map[string]any{"volume": volumeID, "to": toBytes}).Scan(&growth).Error
	return growth, err
}

// unclaimStores takes that back when the volume did not grow.
func (t *Tx) unclaimStores(volumeID string, keep int64) error {
	return t.lowerSnapshots("s.volume_id = ? AND s.deleted_at IS NULL", volumeID, keep)
}

// lowerSnapshots lowers claims to what is kept of them.
func (t *Tx) lowerSnapshots(where, id string, keep int64) error {
	return t.gorm.Exec(`WITH was AS (
			SELECT s.id, s.pool_id, s.claimed_bytes - ? AS surplus FROM snapshots s
			WHERE `+where+` AND s.claimed_bytes > ? ORDER BY s.id FOR UPDATE
		), lowered AS (
			UPDATE snapshots s SET claimed_bytes = s.claimed_bytes - was.surplus FROM was WHERE s.id = was.id
		)
		UPDATE pools p SET allocated_bytes = p.allocated_bytes - w.surplus
		FROM (SELECT pool_id, sum(surplus) AS surplus FROM was GROUP BY pool_id) w
		WHERE p.id = w.pool_id`, keep, id, keep).Error
}
