package jobs

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// internal is the project and user of hidden volumes when none is configured.
const internal = "cinder-internal"

// hidden tells whether a volume keeps an image for others to be copies of.
func hidden(v db.Volume) bool { return v.ImageID != nil && !v.ConsumesQuota }

// cacheLimits is what a pool's node says of keeping images; 0 is no bound.
type cacheLimits struct {
	enabled     bool
	gib, images int
}

func (r *run) cacheLimits(ctx context.Context, poolID string) (l cacheLimits, err error) {
	pools, err := r.pools.snapshot(ctx, lately)
	for _, p := range pools {
		if p.ID == poolID {
			l.enabled = p.Capabilities["image_volume_cache_enabled"] == "True"
			l.gib, _ = strconv.Atoi(p.Capabilities["image_volume_cache_max_size_gb"])
			l.images, _ = strconv.Atoi(p.Capabilities["image_volume_cache_max_count"])
		}
	}
	return l, err
}

// bringImage makes the volume a copy of a hidden one that keeps its image, or
// fetches the image for it alone where that cannot be. Whatever is wrong with the
// cache, the volume is made.
func (r *run) bringImage(ctx context.Context, v db.Volume, where place) error {
	if r.cancel || r.notes.Uncache || v.EncryptionKeyID != nil {
		return r.copyImage(ctx, v, where)
	}
	limits, err := r.cacheLimits(ctx, *v.PoolID)
	if err != nil {
		return err
	}
	if !limits.enabled {
		return r.copyImage(ctx, v, where)
	}
	entry, err := r.DB.CachedImage(ctx, *v.PoolID, *v.ImageID)
	switch {
	case fault.Is(err, fault.NotFound) && r.notes.Cached != "":
		return r.uncached(ctx, v, where, "the image could not be kept")
	case fault.Is(err, fault.NotFound):
		return r.beginCache(ctx, v, where, limits)
	case err != nil:
		return err
	case entry.Status == "creating" || entry.Status == "downloading":
		r.notes.Cached = entry.VolumeID
		return errAgain
	case entry.Status != "available":
		return r.evict(ctx, v, where, entry, "its hidden volume is not available")
	case entry.SizeGiB > v.SizeGiB:
		return r.uncached(ctx, v, where, "the hidden volume is larger")
	}
	return r.copyCached(ctx, v, where, entry)
}

// uncached fetches the image for the volume alone.
func (r *run) uncached(ctx context.Context, v db.Volume, where place, because string) error {
	slog.InfoContext(ctx, "the image is fetched for one volume", "volume", v.ID, "image", *v.ImageID, "because", because)
	r.notes.Uncache = true
	return r.copyImage(ctx, v, where)
}

func (r *run) evict(ctx context.Context, v db.Volume, where place, entry db.CachedImage, because string) error {
	slog.WarnContext(ctx, "a kept image is given up", "image", entry.ImageID, "hidden_volume", entry.VolumeID, "because", because)
	if err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.EvictImage(ctx, entry) }); err != nil {
		return err
	}
	return r.uncached(ctx, v, where, because)
}

// copyCached makes the volume a copy, if the image still has the bytes that are
// kept of it.
func (r *run) copyCached(ctx context.Context, v db.Volume, where place, entry db.CachedImage) error {
	node, f := r.Nodes.Node(where.endpoint), fence("cached", v)
	err := r.operate(ctx, r.PlacePatience, func(ctx context.Context) (*rpc.Operation, error) {
		return node.Operation(ctx, f.OperationID, r.glances())
	})
	if fault.Is(err, fault.NotFound) {
		image, asked := r.imageFor(ctx, v, *v.ImageID)
		if asked != nil {
			return asked
		}
		if hashOf(image) != entry.Hash {
			return r.evict(ctx, v, where, entry, "the image has other bytes now")
		}
		err = r.operate(ctx, r.PlacePatience, func(ctx context.Context) (*rpc.Operation, error) {
			return node.CopyFrom(ctx, f, where.pool, rpc.Source{Kind: rpc.KindVolume, ID: entry.VolumeID}, int64(v.SizeGiB)<<30)
		})
	}
	switch {
	case err == nil:
		return r.DB.UseCachedImage(ctx, entry.VolumeID)
	case errors.Is(err, errAgain), ctx.Err() != nil, fault.Is(err, silent), fault.Is(err, fault.Stale):
		return err
	case fault.Is(err, fault.NotFound):
		return r.evict(ctx, v, where, entry, "the storage node does not have it")
	}
	return r.uncached(ctx, v, where, sentence(err))
}

// hashOf tells one image's bytes from another's.
func hashOf(i rpc.Image) string {
	if i.HashValue != "" {
		return i.DiskFormat + ":" + i.HashAlgo + ":" + i.HashValue
	}
	return i.DiskFormat + ":" + i.Checksum
}

// beginCache makes the hidden volume that this one, and others that come
// meanwhile, then wait for.
func (r *run) beginCache(ctx context.Context, v db.Volume, where place, limits cacheLimits) error {
	image, virtual, err := r.imageAndSize(ctx, v, *v.ImageID)
	if err != nil {
		return err
	}
	size := v.SizeGiB
	if virtual > 0 { // so that volumes of any size can be copies
		size = min(size, int((virtual+1<<30-1)>>30))
	}
	room, err := r.cacheRoom(ctx, *v.PoolID, size, limits)
	if err != nil {
		return err
	}
	if !room {
		return r.uncached(ctx, v, where, "the cache is smaller than the image")
	}
	kind, err := r.DB.VolumeTypeByName(ctx, "__DEFAULT__", "")
	if fault.Is(err, fault.NotFound) {
		kind, err = r.DB.VolumeType(ctx, v.VolumeTypeID, "")
	}
	if err != nil {
		return err
	}
	name := "image-" + *v.ImageID
	keeper := db.Volume{ID: uuid.NewString(), ProjectID: cmp.Or(r.InternalProject, internal), UserID: cmp.Or(r.InternalUser, internal), Name: &name,
		Status: "creating", Generation: 1, SizeGiB: size, VolumeTypeID: kind.ID, VolumeType: kind.Name, AvailabilityZone: v.AvailabilityZone,
		ImageID: v.ImageID, Bootable: true, RequestID: r.request}
	entry := db.CachedImage{PoolID: *v.PoolID, ImageID: *v.ImageID, VolumeID: keeper.ID, Hash: hashOf(image), SizeGiB: size}
	err = r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.CacheImage(ctx, entry, keeper) })
	if err != nil && !fault.Is(err, fault.Conflict) { // somebody else was faster
		return err
	}
	if err == nil {
		r.notes.Cached = keeper.ID
	}
	return errAgain
}

// cacheRoom evicts what was used longest ago, until one more volume fits; false when
// it never does.
func (r *run) cacheRoom(ctx context.Context, poolID string, sizeGiB int, limits cacheLimits) (bool, error) {
	if limits.gib > 0 && sizeGiB > limits.gib {
		return false, nil
	}
	entries, err := r.DB.CachedImages(ctx, poolID)
	if err != nil {
		return false, err
	}
	sum, count := sizeGiB, len(entries)+1
	for _, e := range entries {
		sum += e.SizeGiB
	}
	full := func() bool { return limits.gib > 0 && sum > limits.gib || limits.images > 0 && count > limits.images }
	for _, e := range entries {
		if !full() {
			break
		}
		if e.Status == "creating" || e.Status == "downloading" {
			continue // others wait for it
		}
		slog.InfoContext(ctx, "a kept image is evicted for another", "image", e.ImageID, "hidden_volume", e.VolumeID)
		if err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.EvictImage(ctx, e) }); err != nil {
			return false, err
		}
		sum, count = sum-e.SizeGiB, count-1
	}
	return !full(), nil
}

// fillCache makes a hidden volume in the pool that it is for, or gives it up: those
// who wait for it then fetch the image themselves, and tell their users what is
// wrong with it.
func (r *run) fillCache(ctx context.Context, v db.Volume) error {
	entry, err := r.DB.CacheEntry(ctx, v.ID)
	if fault.Is(err, fault.NotFound) {
		entry.VolumeID = v.ID // evicted, and to be taken away
		return r.giveUp(ctx, entry, err)
	}
	if err != nil {
		return err
	}
	if v.PoolID == nil {
		claimed, err := r.DB.Claim(ctx, v.ID, entry.PoolID, int64(v.SizeGiB)<<30, false)
		if err == nil && !claimed {
			return r.giveUp(ctx, entry, fault.New(fault.NoSpace, "its pool has no room"))
		}
		if err != nil {
			return err
		}
		return fault.New(fault.Conflict, "the volume has its place now") // the row is read again
	}
	if v.Status == "creating" {
		if err := r.beginDownload(ctx, v); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "the volume is downloading now")
	}
	where, err := r.whereIs(ctx, *v.PoolID)
	if err == nil {
		err = r.copyImage(ctx, v, where)
	}
	switch {
	case err == nil:
		return r.DB.FinishCreate(ctx, v)
	case errors.Is(err, errAgain), ctx.Err() != nil, fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err
	}
	return r.giveUp(ctx, entry, err)
}

func (r *run) giveUp(ctx context.Context, entry db.CachedImage, reason error) error {
	slog.WarnContext(ctx, "an image is not kept", "image", entry.ImageID, "hidden_volume", entry.VolumeID, "error", reason)
	return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.EvictImage(ctx, entry) })
}
