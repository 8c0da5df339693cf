package file

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// ownerFile says whose the directory is; see backend.NotOurs. Its name is that of nothing
// that could be managed.
const ownerFile = ".clinker-node"

// claim makes the directory the owner's, unless it is already, and keeps it for this
// process. Invalid when it is another's; Unavailable while another process of the owner's
// name has it: to each of the two, what the other is making is what a crash left.
func (b *Backend) claim(owner string) error {
	path := filepath.Join(b.directory, ownerFile)
	whose, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		whose, err = b.mark(path, owner)
	}
	if err != nil {
		slog.Warn("the volumes' directory cannot be marked as this node's, and another could serve it, too", "directory", b.directory, "error", err)
		return nil
	}
	if other := strings.TrimSpace(string(whose)); other != owner && other != "" {
		return backend.NotOurs("the volumes' directory "+b.directory, other, owner, "delete "+path)
	}
	return b.keep(path, owner)
}

// keep locks the file until this process ends, on a machine that shares the directory
// (NFS), too. A file system that has no locks keeps nobody away.
func (b *Backend) keep(path, owner string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // NFS wants to write, for such a lock
	if err == nil {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	switch {
	case err == nil:
		b.lock = f
		return nil
	case errors.Is(err, unix.EWOULDBLOCK):
		return errors.Join(fault.New(fault.Unavailable, "another process serves the volumes' directory %s, as the storage node %s, too: stop it, or give one of the two another host and another directory", b.directory, owner), f.Close())
	}
	slog.Warn("the volumes' directory cannot be locked, and another process could serve it, too", "directory", b.directory, "error", err)
	if f != nil {
		_ = f.Close()
	}
	return nil
}

// unlock lets other processes have the directory.
func (b *Backend) unlock() error {
	if b.lock == nil {
		return nil
	}
	return b.lock.Close()
}

// mark writes the file whole, and gives what it has when somebody else was faster.
func (b *Backend) mark(path, owner string) ([]byte, error) {
	f, err := os.CreateTemp(b.directory, ownerFile+"-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(owner + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}
