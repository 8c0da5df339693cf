package db

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

const comparableColumns = `v.id, v.size_gib, v.status, v.generation, v.pool_id, v.name_id, v.deleted_at, v.target_size_gib,
	(SELECT m.pool_id FROM volume_migrations m WHERE m.volume_id = v.id)`

// PlacedVolume is a volume with where it is and where it goes.
type PlacedVolume struct {
	Volume         // the columns that matter when a node's volumes are compared with the rows
	Coming *string // the pool it is on its way to
}

func scanComparable(row pgx.CollectableRow) (v PlacedVolume, err error) {
	return v, row.Scan(&v.ID, &v.SizeGiB, &v.Status, &v.Generation, &v.PoolID, &v.NameID, &v.DeletedAt, &v.TargetSizeGiB, &v.Coming)
}

// VolumesEver gives volumes by the ids that their nodes know them by, those that
// have been deleted too, but not those that were let go or are not ours yet.
func (d *DB) VolumesEver(ctx context.Context, ids []string) (map[string]PlacedVolume, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+comparableColumns+` FROM volumes v
		WHERE (v.id = ANY($1::uuid[]) AND v.name_id IS NULL OR v.name_id = ANY($1::uuid[]))`+notReleasedSQL("v.id"), valid(ids))
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanComparable)
	byID := make(map[string]PlacedVolume, len(found))
	for _, v := range found {
		byID[v.StorageID()] = v
	}
	return byID, err
}

// valid leaves out what is no id: it comes from a node.
func valid(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !ValidID(id) })
}

// VolumesResting gives the live volumes of a pool that their node must have:
// those that are not being made, taken away, or in error, and of which nothing
// has changed for that long.
func (d *DB) VolumesResting(ctx context.Context, poolID string, quiet time.Duration) ([]PlacedVolume, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+comparableColumns+` FROM volumes v
		WHERE v.pool_id = $1 AND v.deleted_at IS NULL AND v.user_id >= '' AND v.launched_at IS NOT NULL
			AND v.status NOT IN ('creating', 'downloading', 'extending', 'reverting', 'deleting', 'error_deleting', 'error')
			AND COALESCE(v.updated_at, v.created_at) <= now() - $2::interval`, poolID, quiet)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanComparable)
}

// Outdate raises the generation of a volume that is in another pool, or in
// none, so that what a node of the pool named still has of it can be taken away
// there. It gives the new generation. Conflict when the volume has changed.
func (t *Tx) Outdate(ctx context.Context, v Volume, poolID string) (int64, error) {
	moved, err := t.MoveVolumeAt(ctx, v, Outdated, "", nil)
	if err == nil && deref(moved.PoolID) == poolID {
		err = fault.New(fault.Conflict, "Volume %s has come to the pool meanwhile.", v.ID)
	}
	return moved.Generation, err
}
