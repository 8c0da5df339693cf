package file

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Revert makes a copy of the snapshot and puts it in the volume's place by one
// rename: at every instant the volume is wholly as it was or wholly as the
// snapshot is. See backend.Backend.
func (b *Backend) Revert(ctx context.Context, volume, snapshot string, size int64, progress func(done int64)) error {
	if err := errors.Join(backend.CheckName(volume), backend.CheckName(snapshot), backend.CheckSize(size)); err != nil {
		return err
	}
	if err := b.revertible(volume, snapshot, size); err != nil {
		return err
	}
	release, err := b.unused(volume)
	if err != nil {
		return err
	}
	defer release()
	return b.replace(ctx, snapshot, volume, size, progress)
}

// revertible checks that there is such a snapshot, and that neither it nor the
// volume is longer than the volume shall be.
func (b *Backend) revertible(volume, snapshot string, size int64) error {
	kept, ok, err := b.size(snapshot)
	if err == nil && !ok {
		err = explain(os.ErrNotExist, snapshot)
	}
	if err != nil {
		return err
	}
	have, _, err := b.size(volume)
	if err == nil && max(kept, have) > size {
		err = fault.New(fault.Invalid, "%s has %d bytes and its snapshot %d; it cannot shrink to %d", volume, have, kept, size)
	}
	return err
}

// unused gives Busy when anybody has the volume open; until release whoever
// would open it waits. Without a volume there is nothing to wait for.
func (b *Backend) unused(volume string) (release func(), err error) {
	f, err := b.open(volume, os.O_RDONLY)
	if fault.Is(err, fault.NotFound) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := lease(f); err != nil {
		f.Close()
		return nil, fault.Wrap(err, fault.Busy, "%s is in use on its storage node", volume)
	}
	return func() { f.Close() }, nil
}

// replace is copy and make for a name that may be taken.
func (b *Backend) replace(ctx context.Context, source, name string, size int64, progress func(int64)) error {
	from, err := b.open(source, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer from.Close()
	temporary := b.halfMade(name)
	to, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return explain(err, name)
	}
	defer to.Close()
	err = b.fill(ctx, to, from, progress)
	if err == nil {
		err = to.Truncate(size)
	}
	if err == nil {
		err = to.Sync()
	}
	if err == nil {
		err = os.Rename(temporary, b.path(name))
	}
	if err != nil {
		return errors.Join(explain(err, name), os.Remove(temporary))
	}
	progress(size)
	return b.syncDirectory()
}
