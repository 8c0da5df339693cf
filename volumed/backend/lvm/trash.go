package lvm

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/direct"
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
	return b.trash(r), nil
}

func (b *Backend) trash(r *report) (entries []backend.Entry) {
	for _, v := range r.volumes {
		if backend.CheckTrashName(v.Name) == nil && b.pool.holds(v) && !b.held.has(v.Name) {
			entries = append(entries, backend.Entry{Name: v.Name, Bytes: v.Bytes})
		}
	}
	return entries
}

// Purge overwrites a thick volume with zeroes, at most 4 MiB for each call of spend,
// and removes it. One program is started when the volume is active; all else the
// kernel tells. Busy when something has it open. See backend.Backend.
func (b *Backend) Purge(ctx context.Context, name string, spend func(context.Context, int) error) error {
	if err := backend.CheckTrashName(name); err != nil {
		return err
	}
	if b.held.has(name) {
		return stillInUse(name)
	}
	err := b.wipeVolume(ctx, name, spend)
	if err == nil {
		err = b.change(ctx, "lvremove", "-y", b.path(name))
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	b.wiped.forget(name)
	return nil
}

func stillInUse(name string) error {
	return fault.New(fault.Busy, "%s is still in use on its storage node", name)
}

// wipeVolume zeroes what a thick volume has, and leaves a thin one alone.
func (g *group) wipeVolume(ctx context.Context, name string, spend func(context.Context, int) error) error {
	path, err := g.device(ctx, name)
	if err != nil {
		return err
	}
	if thin, err := g.prepareWipe(ctx, name); err != nil || thin {
		return err
	}
	// O_EXCL: nobody mounts or exports it meanwhile. O_DIRECT: what the device's
	// page cache holds of the time before its split is not the store's.
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL|unix.O_DIRECT, 0)
	if errors.Is(err, unix.EBUSY) {
		return stillInUse(name)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	d, _, err := g.mapped(name)
	if err != nil {
		return err
	}
	if d.Opened != 1 {
		return stillInUse(name)
	}
	return g.wipeDevice(ctx, f, name, d.Bytes(), spend)
}

// prepareWipe splits a snapshot off its volume. Busy when the volume has
// snapshots itself: lvremove would take them along.
func (g *group) prepareWipe(ctx context.Context, name string) (thin bool, err error) {
	d, _, err := g.mapped(name)
	if err != nil {
		return false, err
	}
	switch d.Type() {
	case "thin":
		return true, nil
	case "snapshot-origin":
		return false, stillInUse(name)
	case "snapshot":
		return false, g.split(ctx, name)
	}
	return false, nil
}

func (g *group) wipeDevice(ctx context.Context, f *os.File, name string, size int64, spend func(context.Context, int) error) error {
	block, free, err := direct.Mapped(chunkBytes)
	if err != nil {
		return err
	}
	defer free()
	used := size
	if storeName(name) {
		used = usedBytes(f, size, margin, block)
	}
	left := g.wiped.of(name, used)
	if err := wipe(ctx, f, left, spend, func(left int64) { g.wiped.set(name, left) }); err != nil {
		return err
	}
	// Only when the zeroes are on the disk may the extents be another's.
	if err := f.Sync(); err != nil {
		return err
	}
	if g.discard {
		discard(ctx, f, size)
	}
	return nil
}

// storeName tells whether the kernel wrote what is in that trash. A volume's
// tenant could write what looks like a snapshot's store.
func storeName(trash string) bool {
	_, ok := backend.SnapshotID(trash[len(backend.TrashPrefix):])
	return ok
}
