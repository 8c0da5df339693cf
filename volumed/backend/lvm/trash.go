package lvm

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Trash tells what is to be wiped: deleted thick volumes, and in both kinds of pool
// what a crash or a cancelled copy left; see backend.Backend.
func (b *Backend) Trash(ctx context.Context) ([]backend.Entry, error) {
	r, err := b.reports.get(ctx)
	if err != nil {
		return nil, err
	}
	var entries []backend.Entry
	for _, v := range r.volumes {
		if backend.CheckTrashName(v.Name) == nil && b.pool.holds(v) && !b.held.has(v.Name) {
			entries = append(entries, backend.Entry{Name: v.Name, Bytes: v.Bytes})
		}
	}
	return entries, nil
}

// Purge overwrites a thick volume with zeroes, at most 4 MiB for each call of spend,
// and removes it; one program is started. Busy when something has it open. See
// backend.Backend.
func (b *Backend) Purge(ctx context.Context, name string, spend func(context.Context, int) error) error {
	if err := backend.CheckTrashName(name); err != nil {
		return err
	}
	r, err := b.reports.get(ctx)
	if err != nil {
		return err
	}
	v, ok := r.find(name)
	if !ok {
		return nil
	}
	if b.held.has(name) || len(r.snapshotsOf(name)) > 0 {
		return fault.New(fault.Busy, "%s is still in use on its storage node", name)
	}
	if v.Pool == "" {
		err = b.wipeVolume(ctx, v, spend)
	}
	if err == nil {
		err = b.change(ctx, "lvremove", "-y", b.path(name))
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	b.wiped.forget(name)
	return nil
}

func (g *group) wipeVolume(ctx context.Context, v logicalVolume, spend func(context.Context, int) error) error {
	if v.thickSnapshot() {
		if err := g.split(ctx, v.Name); err != nil {
			return err
		}
	}
	path, err := g.device(ctx, v.Name)
	if err != nil {
		return err
	}
	// O_EXCL: nobody mounts or exports it meanwhile. O_DIRECT: what the device's
	// page cache holds of the time before its split is not the store's.
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL|unix.O_DIRECT, 0)
	if errors.Is(err, unix.EBUSY) {
		return fault.Wrap(err, fault.Busy, "%s is still in use on its storage node", v.Name)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := g.idleBut(v.Name, 1); err != nil {
		return err
	}
	return g.wipeDevice(ctx, f, v, spend)
}

// idleBut gives Busy when more than our own have the volume open.
func (g *group) idleBut(name string, own int) error {
	d, _, err := g.mapped(name)
	if err == nil && d.Opened > own {
		err = fault.New(fault.Busy, "%s is still in use on its storage node", name)
	}
	return err
}

func (g *group) wipeDevice(ctx context.Context, f *os.File, v logicalVolume, spend func(context.Context, int) error) error {
	block, free, err := aligned(chunkBytes)
	if err != nil {
		return err
	}
	defer free()
	used := v.Bytes
	if storeName(v.Name) {
		used = usedBytes(f, v.Bytes, block)
	}
	left := g.wiped.of(v.Name, used)
	if err := wipe(ctx, f, left, spend, func(left int64) { g.wiped.set(v.Name, left) }); err != nil {
		return err
	}
	// Only when the zeroes are on the disk may the extents be another's.
	if err := f.Sync(); err != nil {
		return err
	}
	if g.discard {
		discard(ctx, f, v.Bytes)
	}
	return nil
}

// storeName tells whether the kernel wrote what is in that trash. A volume's
// tenant could write what looks like a snapshot's store.
func storeName(trash string) bool {
	_, ok := backend.SnapshotID(trash[len(backend.TrashPrefix):])
	return ok
}
