package lvm

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Revert copies back what differs into a thick volume; a thin one is put aside
// for a copy of its snapshot. Both leave the snapshot as it is. LVM's own way,
// lvconvert --merge, uses the snapshot up, and it gives a thick one's store back
// to the volume group without a wipe. See backend.Backend.
func (b *Backend) Revert(ctx context.Context, volume, snapshot string, size int64, progress func(done int64)) error {
	if err := errors.Join(backend.CheckName(volume), backend.CheckName(snapshot), backend.CheckSize(size)); err != nil {
		return err
	}
	volume = b.asides.logical(volume)
	if err := b.idle(ctx, volume); err != nil {
		return err
	}
	return b.pool.revert(ctx, volume, snapshot, b.roundUp(size), progress)
}

// revert makes a copy of the snapshot under a name of trash and renames twice.
// A crash between the two leaves no volume, which the next call makes.
func (t *thin) revert(ctx context.Context, volume, snapshot string, size int64, progress func(int64)) error {
	have, err := t.sourceSize(ctx, snapshot, size)
	if err != nil {
		return err
	}
	now, _, err := t.size(ctx, volume)
	if err == nil && now > size {
		err = fault.New(fault.Invalid, "%s has %d bytes; it cannot shrink to %d", volume, now, size)
	}
	if err != nil {
		return err
	}
	making := t.held.trashName(volume)
	defer t.held.hold(making)()
	if err := t.freeze(ctx, snapshot, making); err != nil {
		return err
	}
	if have < size {
		if err := t.grow(ctx, making, size); err != nil {
			return err
		}
	}
	err = t.change(ctx, "lvrename", t.group.name, volume, t.held.trashName(volume))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err := t.change(ctx, "lvrename", t.group.name, making, volume); err != nil {
		return err
	}
	progress(size)
	return nil
}

// revert writes to the volume where it is not as the snapshot is. What differs
// the kernel has copied to the snapshot's store before, so that the snapshot
// stays as it is whatever happens here, and its store does not fill. What the
// volume has grown by since, which the snapshot does not have, becomes zeroes.
func (t *thick) revert(ctx context.Context, volume, snapshot string, size int64, progress func(int64)) error {
	if err := t.revertible(ctx, volume, snapshot, size); err != nil {
		return err
	}
	from, err := t.open(ctx, snapshot, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := t.open(ctx, volume, os.O_RDWR|unix.O_EXCL)
	if errors.Is(err, unix.EBUSY) {
		return stillInUse(volume)
	}
	if err != nil {
		return err
	}
	defer to.Close()
	kept, _, err := t.mapped(snapshot)
	if err != nil {
		return err
	}
	if err := copyDifferences(ctx, to, from, min(kept.Bytes(), size), progress); err != nil {
		return err
	}
	if err := zeroDifferences(ctx, to, kept.Bytes(), size, progress); err != nil {
		return err
	}
	return to.Sync()
}

// revertible checks that the two belong together.
func (t *thick) revertible(ctx context.Context, volume, snapshot string, size int64) error {
	r, err := t.reports.get(ctx)
	if err != nil {
		return err
	}
	v, ok := r.find(volume)
	s, taken := r.find(snapshot)
	switch {
	case !ok:
		return notFound(volume)
	case !taken || !s.thickSnapshot():
		return notFound(snapshot)
	case s.Origin != volume:
		return fault.New(fault.Conflict, "%s is not a snapshot of %s", snapshot, volume)
	case v.Bytes != size:
		return fault.New(fault.Invalid, "%s has %d bytes and not %d", volume, v.Bytes, size)
	}
	return nil
}
