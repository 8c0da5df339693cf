package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// CacheEvict takes a hidden volume away.
var CacheEvict = Move{"evict it from the image cache", []string{"creating", "downloading", "available", "error"}, "deleting"}

// CachedImage is a row of image_cache, and the status of its hidden volume.
type CachedImage struct {
	PoolID   string
	ImageID  string
	VolumeID string
	Hash     string // of the image's bytes
	SizeGiB  int
	Status   string // "" when the volume is gone
}

const cachedSQL = `SELECT c.pool_id, c.image_id, c.volume_id, c.hash, c.size_gib, COALESCE(v.status, '') FROM image_cache c
	LEFT JOIN volumes v ON v.id = c.volume_id AND v.deleted_at IS NULL `

func scanCached(row pgx.CollectableRow) (c CachedImage, err error) {
	return c, row.Scan(&c.PoolID, &c.ImageID, &c.VolumeID, &c.Hash, &c.SizeGiB, &c.Status)
}

// CachedImage gives the hidden volume that keeps an image in a pool; NotFound when
// there is none.
func (d *DB) CachedImage(ctx context.Context, poolID, imageID string) (CachedImage, error) {
	return d.cached(ctx, "WHERE c.pool_id = $1 AND c.image_id = $2", poolID, imageID)
}

// CacheEntry gives the entry whose hidden volume that is; NotFound when it is none.
func (d *DB) CacheEntry(ctx context.Context, volumeID string) (CachedImage, error) {
	return d.cached(ctx, "WHERE c.volume_id = $1", volumeID)
}

func (d *DB) cached(ctx context.Context, where string, args ...any) (CachedImage, error) {
	rows, err := d.pool.Query(ctx, cachedSQL+where, args...)
	if err != nil {
		return CachedImage{}, err
	}
	c, err := pgx.CollectExactlyOneRow(rows, scanCached)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no such image in the cache.")
	}
	return c, err
}

// CachedImages gives all of a pool, those that were used longest ago first.
func (d *DB) CachedImages(ctx context.Context, poolID string) ([]CachedImage, error) {
	rows, err := d.pool.Query(ctx, cachedSQL+"WHERE c.pool_id = $1 ORDER BY c.last_used_at, c.volume_id", poolID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanCached)
}

// UseCachedImage notes that a volume has been made a copy of it.
func (d *DB) UseCachedImage(ctx context.Context, volumeID string) error {
	_, err := d.pool.Exec(ctx, "UPDATE image_cache SET last_used_at = now() WHERE volume_id = $1", volumeID)
	return err
}

// CacheImage begins to keep an image: its hidden volume v, the entry and the job
// that fills it. Conflict when somebody else has begun.
func (t *Tx) CacheImage(ctx context.Context, c CachedImage, v Volume) error {
	if err := t.InsertVolume(ctx, &v); err != nil {
		return err
	}
	met, err := t.exec(ctx, `INSERT INTO image_cache (pool_id, image_id, volume_id, hash, size_gib) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (pool_id, image_id) DO NOTHING`, c.PoolID, c.ImageID, v.ID, c.Hash, c.SizeGiB)
	if err == nil && met == 0 {
		err = fault.New(fault.Conflict, "Image %s is being fetched already.", c.ImageID)
	}
	if err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeCreateArgs{VolumeID: v.ID, Request: v.RequestID})
}

// EvictImage keeps an image no longer. Its hidden volume goes; one that is going
// already, or that an administrator has put to another use, is left to itself.
// What is being copied from it is not disturbed. May be repeated.
func (t *Tx) EvictImage(ctx context.Context, c CachedImage) error {
	if _, err := t.exec(ctx, "DELETE FROM image_cache WHERE volume_id = $1", c.VolumeID); err != nil {
		return err
	}
	v, err := t.MoveVolume(ctx, c.VolumeID, CacheEvict, "", nil)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if v.PoolID == nil {
		return t.FinishDelete(ctx, v)
	}
	return t.Enqueue(ctx, VolumeDeleteArgs{VolumeID: v.ID, Request: v.RequestID})
}
