package file

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Create makes a sparse file of exactly size bytes; see backend.Backend.
func (b *Backend) Create(_ context.Context, name string, size int64) error {
	if err := errors.Join(backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	if ok, err := b.exists(name, size); ok || err != nil {
		return err
	}
	return b.make(name, func(f *os.File) error { return f.Truncate(size) })
}

// Extend sets the file's length; see backend.Backend.
func (b *Backend) Extend(_ context.Context, name string, size int64) error {
	if err := backend.CheckSize(size); err != nil {
		return err
	}
	f, err := b.open(name, os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > size {
		return fault.New(fault.Invalid, "%s has %d bytes; it cannot shrink to %d", name, info.Size(), size)
	}
	if info.Size() < size {
		if err := f.Truncate(size); err != nil {
			return explain(err, name)
		}
	}
	// Also when nothing changed: an earlier call may have died before this.
	return explain(f.Sync(), name)
}

// make fills a new file and then gives it its name. The data reach the disk
// before the name does, and both before make returns.
func (b *Backend) make(name string, fill func(*os.File) error) error {
	temporary := b.halfMade(name)
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return explain(err, name)
	}
	defer f.Close()
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = rename(temporary, b.path(name))
	}
	if err != nil {
		return errors.Join(explain(err, name), os.Remove(temporary))
	}
	return b.syncDirectory()
}

// rename gives a file a name that must be free. File systems that cannot do
// that in one call (NFS) do it with a second link.
func rename(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	if err := os.Link(from, to); err != nil {
		return err
	}
	return os.Remove(from)
}
