package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// making begins the names of files that are not volumes yet.
const making = ".making-"

// Options says where the volumes are.
type Options struct {
	Directory string // made with mode 0700 when it is missing
	Owner     string // the node, of which the directory is to be; "" asks nobody
}

// Backend keeps volumes in a directory. It implements backend.Backend.
type Backend struct {
	directory string   // absolute
	lock      *os.File // keeps other processes away, as long as it is open
	reflink   func(to, from int) error
}

var _ backend.Backend = (*Backend)(nil)

// Open makes the directory if need be and takes away what a crash left
// half-made in it. It may be repeated; one process at a time may have the
// directory open, and another that names an Owner gets Unavailable.
func Open(options Options) (*Backend, error) {
	directory, err := filepath.Abs(options.Directory)
	if err != nil {
		return nil, err
	}
	if options.Directory == "" {
		return nil, fault.New(fault.Invalid, "the file backend needs a directory")
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "the volumes' directory cannot be made")
	}
	b := &Backend{directory: directory, reflink: unix.IoctlFileClone}
	if options.Owner != "" {
		if err := b.claim(options.Owner); err != nil {
			return nil, err
		}
	}
	if err := b.removeHalfMade(); err != nil {
		return nil, errors.Join(err, b.unlock())
	}
	return b, nil
}

func (b *Backend) removeHalfMade() error {
	entries, err := os.ReadDir(b.directory)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "the volumes' directory cannot be read")
	}
	for _, entry := range entries {
		name, ok := strings.CutPrefix(entry.Name(), making)
		if !ok || backend.CheckName(name) != nil {
			continue
		}
		if err := os.Remove(b.halfMade(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("what a crash left cannot be removed: %w", err)
		}
	}
	return nil
}

func (b *Backend) path(name string) string     { return filepath.Join(b.directory, name) }
func (b *Backend) halfMade(name string) string { return filepath.Join(b.directory, making+name) }

// open opens an existing volume; NotFound when there is none. A symbolic link
// that somebody put there is not followed.
func (b *Backend) open(name string, flags int) (*os.File, error) {
	if err := backend.CheckName(name); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(b.path(name), flags|unix.O_NOFOLLOW, 0)
	return f, explain(err, name)
}

// exists tells whether the name is taken by a file of that size; Conflict when
// it is taken by one of another size.
func (b *Backend) exists(name string, size int64) (bool, error) {
	have, ok, err := b.size(name)
	if err != nil || !ok {
		return false, err
	}
	return true, backend.SameSize(name, have, size)
}

// size gives the bytes of a volume or snapshot, false when there is none.
func (b *Backend) size(name string) (int64, bool, error) {
	info, err := os.Lstat(b.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if !info.Mode().IsRegular() {
		return 0, false, fmt.Errorf("%s is no regular file", name)
	}
	return info.Size(), true, nil
}

// syncDirectory makes the names themselves outlive a power cut.
func (b *Backend) syncDirectory() error {
	d, err := os.Open(b.directory)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// explain turns what the kernel said into a fault.
func explain(err error, name string) error {
	var said *fault.Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &said):
		return err // of who fills a volume: what is missing or full may be on another file system
	case errors.Is(err, os.ErrNotExist):
		return fault.Wrap(err, fault.NotFound, "there is no %s in this pool", name)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fault.Wrap(err, fault.NoSpace, "the pool has not enough room for %s", name)
	case errors.Is(err, unix.EFBIG):
		return fault.Wrap(err, fault.NoSpace, "%s is larger than a file may be in this pool", name)
	}
	return err
}
