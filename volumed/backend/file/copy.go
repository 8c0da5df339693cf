package file

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Snapshot copies the volume; see backend.Backend. A snapshot that exists is
// taken for one of that volume: nothing is kept about its origin.
func (b *Backend) Snapshot(ctx context.Context, volume, snapshot string) error {
	if err := backend.CheckName(snapshot); err != nil {
		return err
	}
	if _, ok, err := b.size(snapshot); ok || err != nil {
		return err
	}
	return b.copy(ctx, volume, snapshot, 0, func(int64) {})
}

// Clone copies a volume or snapshot into a file of size bytes; see
// backend.Backend.
func (b *Backend) Clone(ctx context.Context, source, name string, size int64, progress func(done int64)) error {
	if err := errors.Join(backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	if ok, err := b.exists(name, size); ok || err != nil {
		return err
	}
	return b.copy(ctx, source, name, size, progress)
}

// copy makes name as it is at one point in time, size bytes long, or as long as
// the source when size is 0.
func (b *Backend) copy(ctx context.Context, source, name string, size int64, progress func(int64)) error {
	from, err := b.open(source, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if size == 0 {
		size = info.Size()
	}
	if size < info.Size() {
		return fault.New(fault.Invalid, "%s has %d bytes; a copy of it cannot have %d", source, info.Size(), size)
	}
	return b.make(name, func(to *os.File) error {
		if err := b.fill(ctx, to, from, progress); err != nil {
			return err
		}
		progress(info.Size())
		return to.Truncate(size)
	})
}

func (b *Backend) fill(ctx context.Context, to, from *os.File, progress func(int64)) error {
	err := b.reflink(int(to.Fd()), int(from.Fd()))
	if err == nil {
		return nil
	}
	if !cannotReflink(err) {
		return err
	}
	return whileQuiet(ctx, from, func(size int64) error {
		if err := to.Truncate(0); err != nil {
			return err
		}
		if err := to.Truncate(size); err != nil {
			return err
		}
		return copyExtents(ctx, to, from, size, progress)
	})
}

// cannotReflink tells a file system without reflinks (ioctl_ficlone(2)) from a
// failure; ENOTTY is what a kernel says that has never heard of them.
func cannotReflink(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) ||
		errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EXDEV)
}
