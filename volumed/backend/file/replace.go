package file

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Replace fills a new file and puts it in the volume's place by one rename: at
// every instant the volume is wholly the one or the other. See backend.Backend.
func (b *Backend) Replace(ctx context.Context, name string, size int64, write func(ctx context.Context, path string, blank bool) error) error {
	if err := errors.Join(backend.CheckName(name), backend.CheckSize(size)); err != nil {
		return err
	}
	f, err := b.open(name, os.O_RDONLY)
	if err != nil {
		return err
	}
	f.Close()
	if _, err := b.exists(name, size); err != nil {
		return err
	}
	release, err := b.unused(name)
	if err != nil {
		return err
	}
	defer release()
	return b.swap(ctx, name, size, write)
}

// swap is make for a name that is taken.
func (b *Backend) swap(ctx context.Context, name string, size int64, write func(ctx context.Context, path string, blank bool) error) error {
	temporary := b.halfMade(name)
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return explain(err, name)
	}
	defer f.Close()
	if err = f.Truncate(size); err == nil {
		err = write(ctx, temporary, true)
	}
	if err == nil {
		err = errors.Join(f.Truncate(size), f.Sync())
	}
	if err == nil && ctx.Err() != nil {
		err = fault.Wrap(ctx.Err(), fault.Timeout, "the copy was cut short")
	}
	if err == nil {
		err = os.Rename(temporary, b.path(name))
	}
	if err != nil {
		return errors.Join(explain(err, name), os.Remove(temporary))
	}
	return b.syncDirectory()
}
