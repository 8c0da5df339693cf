package lvm

import (
	"context"
	"errors"
	"os"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Options say where the volumes are.
type Options struct {
	VolumeGroup string // must exist
	ThinPool    string // a thin pool in it; "" makes thick volumes
	Owner       string // the node, of which the volume group is to be; "" asks nobody
	Auto        bool   // thick volumes where the thin pool is not there, or thick volumes of ours are, if only to be wiped
	// Discard gives wiped extents back to the disk itself (TRIM) before they
	// are given back to the volume group. Some disks answer reads of discarded
	// blocks with what was there before, hence it is not the default.
	Discard bool
}

// Backend keeps volumes in a volume group. It implements backend.Backend.
type Backend struct {
	*group
	pool   pool
	asides asides
}

var _ backend.Backend = (*Backend)(nil)

// pool is what differs between thick and thin volumes. Names and sizes have been
// checked, and sizes are whole extents.
type pool interface {
	create(ctx context.Context, name string, size int64) error
	extend(ctx context.Context, name string, size int64) error
	remove(ctx context.Context, name string) error
	snapshot(ctx context.Context, volume, snapshot string) error
	clone(ctx context.Context, source, name string, size int64, progress func(int64)) error
	revert(ctx context.Context, volume, snapshot string, size int64, progress func(int64)) error
	replace(ctx context.Context, name string, size int64, write func(context.Context, string, bool) error) error
	capacity(ctx context.Context, r *report) (backend.Capacity, error)
	// same accepts a volume of this pool with that size.
	same(name string, size int64) func(logicalVolume) error
	holds(v logicalVolume) bool         // whether the volume lies in this pool
	whole(v logicalVolume) bool         // whether it is one, and not half-made
	activate(ctx context.Context) error // the pool itself
}

// Create starts one program (lvcreate); see backend.Backend.
func (b *Backend) Create(ctx context.Context, name string, size int64) error {
	if err := errors.Join(backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	return b.pool.create(ctx, b.asides.logical(name), b.roundUp(size))
}

// Extend starts one program (lvextend); see backend.Backend. A thick volume that
// has snapshots can grow only while it is not open: else Busy.
func (b *Backend) Extend(ctx context.Context, name string, size int64) error {
	if err := errors.Join(backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	return b.pool.extend(ctx, b.asides.logical(name), b.roundUp(size))
}

// Delete starts one program: lvrename for a thick volume, lvremove for a thin
// one. For a thick snapshot it also starts lvconvert. See backend.Backend.
func (b *Backend) Delete(ctx context.Context, name string) error {
	if err := backend.CheckName(name); err != nil {
		return err
	}
	err := b.pool.remove(ctx, b.asides.logical(name))
	if err == nil {
		b.asides.remove(name)
	}
	return err
}

// Snapshot starts one program (lvcreate); see backend.Backend. A thick snapshot
// gets a store that holds its whole volume, so that it cannot overflow.
func (b *Backend) Snapshot(ctx context.Context, volume, snapshot string) error {
	if err := errors.Join(backend.CheckName(volume), backend.CheckName(snapshot)); err != nil {
		return err
	}
	return b.pool.snapshot(ctx, b.asides.logical(volume), snapshot)
}

// Clone copies a thick source block by block, a volume from a snapshot made for
// the purpose; a thin clone is a thin snapshot. See backend.Backend.
func (b *Backend) Clone(ctx context.Context, source, name string, size int64, progress func(done int64)) error {
	if err := errors.Join(backend.CheckName(source), backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	return b.pool.clone(ctx, b.asides.logical(source), name, b.roundUp(size), progress)
}

// Import makes the volume under a name in trash, and renames it when it is whole; where
// another pool of the volume group has the name, the logical volume stands aside. See
// backend.Backend. Only thin volumes are blank.
func (b *Backend) Import(ctx context.Context, name string, size int64, write func(ctx context.Context, path string, blank bool) error) error {
	if err := errors.Join(backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	size = b.roundUp(size)
	logical, have, there, err := b.landing(ctx, name)
	if err != nil {
		return err
	}
	if !there {
		err = b.bring(ctx, logical, size, write)
	} else {
		err = backend.SameSize(name, have, size)
	}
	if err == nil && logical != name {
		b.asides.add(name)
	}
	return err
}

// bring makes the volume under a name in trash until it is whole.
func (b *Backend) bring(ctx context.Context, name string, size int64, write func(ctx context.Context, path string, blank bool) error) error {
	making := b.held.trashName(name)
	defer b.held.hold(making)()
	if err := b.pool.create(ctx, making, size); err != nil {
		return err
	}
	path, err := b.device(ctx, making)
	if err != nil {
		return err
	}
	_, blank := b.pool.(*thin)
	if err := write(ctx, path, blank); err != nil {
		return err
	}
	if err := syncDevice(path); err != nil {
		return err
	}
	return b.complete(ctx, making, name, b.pool.same(name, size))
}

// syncDevice returns when what was written to a device is on the disk.
func syncDevice(path string) error {
	device, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(device.Sync(), device.Close())
}

// Device activates the volume if it is not active, and gives /dev/VG/LV; see
// backend.Backend.
func (b *Backend) Device(ctx context.Context, name string) (string, error) {
	if err := backend.CheckName(name); err != nil {
		return "", err
	}
	return b.device(ctx, b.asides.logical(name))
}

// List tells from the last report, which no change of ours is newer than; see
// backend.Backend.
func (b *Backend) List(ctx context.Context) ([]backend.Entry, error) {
	r, err := b.reports.get(ctx)
	if err != nil {
		return nil, err
	}
	return b.live(r), nil
}

func (b *Backend) live(r *report) (entries []backend.Entry) {
	for _, v := range r.volumes {
		name := volumeOf(v.Name)
		if backend.CheckName(name) == nil && b.pool.holds(v) && b.pool.whole(v) {
			entries = append(entries, backend.Entry{Name: name, Bytes: v.VirtualBytes()})
		}
	}
	return entries
}

// Capacity tells from the last report; see backend.Backend. Unavailable while LVM or
// the kernel would refuse to make volumes, with what is to be done.
func (b *Backend) Capacity(ctx context.Context) (backend.Capacity, error) {
	r, err := b.reports.get(ctx)
	if err == nil && r.missing > 0 {
		err = fault.New(fault.Unavailable, "volume group %s lacks %d of its disks, and LVM changes nothing in it until they are back (pvs, vgextend --restoremissing) "+
			"or given up (vgreduce --removemissing)", b.group.name, r.missing)
	}
	if err != nil {
		return backend.Capacity{}, err
	}
	c, err := b.pool.capacity(ctx, r)
	if err != nil {
		return backend.Capacity{}, err
	}
	for _, entry := range b.live(r) {
		c.LiveBytes += entry.Bytes
	}
	c.Disks, err = b.disks.get(ctx)
	return c, err
}
