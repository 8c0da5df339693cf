package file

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Delete unlinks the file, and what is half-made under its name; see
// backend.Backend. Snapshots are copies of their own, so none holds it back.
func (b *Backend) Delete(_ context.Context, name string) error {
	if err := backend.CheckName(name); err != nil {
		return err
	}
	if err := os.Remove(b.halfMade(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := b.open(name, os.O_RDONLY)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	// Closing it ends the lease; until then whoever would open it waits.
	defer f.Close()
	if err := lease(f); err != nil {
		return fault.Wrap(err, fault.Busy, "%s is in use on its storage node", name)
	}
	if err := os.Remove(b.path(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return b.syncDirectory()
}

// lease asks the kernel whether anybody else has the file open: it grants a
// write lease only when nobody has (fcntl(2), "Leases"). File systems without
// leases let everything pass. A process that is just being started holds every
// file of ours for an instant, hence the second and third look.
func lease(f *os.File) (err error) {
	for range 3 {
		_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
		if !errors.Is(err, unix.EAGAIN) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// Trash is always empty: an unlinked file's bytes are never handed out again.
func (b *Backend) Trash(context.Context) ([]backend.Entry, error) { return nil, nil }

// Purge has nothing to do.
func (b *Backend) Purge(_ context.Context, name string, _ func(context.Context, int) error) error {
	return backend.CheckTrashName(name)
}
