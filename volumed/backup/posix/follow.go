package posix

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"clinker/internal/fault"
)

// Follow goes over to the directory that lies at the driver's place now; see
// backup.Follower. Whoever uses the old one meanwhile goes on with that: it is closed
// when nobody does any more.
func (d *Driver) Follow(key string, is func(object []byte) error) error {
	d.mu.Lock()
	root := d.root
	d.mu.Unlock()
	if root == nil || lies(root, d.directory) {
		return nil
	}
	next, err := os.OpenRoot(d.directory)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "the backup directory is not there any more, or cannot be opened: see whether it is mounted")
	}
	object, err := small(next, key)
	if err == nil {
		err = is(object)
	}
	if err == nil {
		err = explain(next.MkdirAll(temporary, 0o700))
	}
	if err != nil {
		_ = next.Close() // nothing was written to it
		return err
	}
	slog.Info("another directory lies where the backups are kept, and is the same store", "directory", d.directory)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.root, d.swept = next, time.Time{}
	return nil
}

// lies tells whether a directory that is open is the one that has that name.
func lies(root *os.Root, name string) bool {
	have, err := root.Stat(".")
	if err != nil {
		return false
	}
	there, err := os.Stat(name)
	return err == nil && os.SameFile(have, there)
}

// small reads a file that is not long.
func small(root *os.Root, key string) ([]byte, error) {
	f, err := root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.Unavailable, "there is no backup store where there was one: see whether it is mounted")
	}
	if err != nil {
		return nil, explain(err)
	}
	defer f.Close()
	object, err := io.ReadAll(io.LimitReader(f, 64<<10))
	return object, explain(err)
}
