package posix

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"clinker/internal/direct"
	"clinker/internal/fault"
	"clinker/volumed/backup"
)

// Driver keeps objects in a directory. It implements backup.Driver.
type Driver struct {
	directory string

	mu    sync.Mutex
	root  *os.Root  // nil until it has been opened
	swept time.Time // when it was last looked at what crashes left
}

var (
	_ backup.Driver    = (*Driver)(nil)
	_ backup.Forgetter = (*Driver)(nil)
	_ backup.Follower  = (*Driver)(nil)
)

const (
	temporary = ".clinker/tmp"
	stale     = time.Hour // no Put lasts as long
	flushes   = 8         // at once
	attempts  = 20        // Delete may take a folder away that Put has just made
)

// New gives a driver for a directory, which is made when it is missing, and first
// looked at when something is asked for.
func New(directory string) (*Driver, error) {
	if !path.IsAbs(directory) {
		return nil, fault.New(fault.Invalid, "backup_posix_path must begin with /")
	}
	return &Driver{directory: path.Clean(directory)}, nil
}

// open opens the directory at its first use. What a crash left just before is too
// young to be taken away then, and goes later.
func (d *Driver) open() (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root == nil {
		root, err := d.begin()
		if err != nil {
			return nil, err
		}
		d.root = root
	}
	if time.Since(d.swept) >= stale {
		d.swept = time.Now()
		_ = sweep(d.root) // what stays harms nobody
	}
	return d.root, nil
}

// Forget has the directory opened anew; see backup.Forgetter.
func (d *Driver) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root != nil {
		_ = d.root.Close() // nothing was written to it itself
	}
	d.root, d.swept = nil, time.Time{}
}

func (d *Driver) begin() (*os.Root, error) {
	if err := os.MkdirAll(d.directory, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "the backup directory cannot be made")
	}
	root, err := os.OpenRoot(d.directory)
	if err == nil {
		err = root.MkdirAll(temporary, 0o700)
	}
	if err != nil {
		return nil, explain(err)
	}
	return root, nil
}

// sweep takes away what crashes left.
func sweep(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), temporary)
	if err != nil {
		return explain(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < stale {
			continue
		}
		if err := root.Remove(temporary + "/" + e.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain(err)
		}
	}
	return nil
}

// Put writes a file and renames it; see backup.Driver.
func (d *Driver) Put(ctx context.Context, key string, data []byte) error {
	return d.store(ctx, key, data, (*os.Root).Rename)
}

// Create gives the file a second name, which must be free, and takes the first away;
// see backup.Driver.
func (d *Driver) Create(ctx context.Context, key string, data []byte) error {
	if err := d.store(ctx, key, data, (*os.Root).Link); err != nil {
		return err
	}
	return d.Flush(ctx, path.Dir(key))
}

// store writes a file and gives it its key.
func (d *Driver) store(ctx context.Context, key string, data []byte, publish func(root *os.Root, from, to string) error) error {
	if err := ctx.Err(); err != nil {
		return explain(err)
	}
	root, err := d.open()
	if err != nil {
		return err
	}
	from := temporary + "/" + rand.Text()
	if err := write(root, from, data); err != nil {
		_ = root.Remove(from) // sweep does it if this does not
		if errors.Is(err, fs.ErrNotExist) {
			return fault.Wrap(err, fault.Unavailable, "the backup directory is not there any more")
		}
		return explain(err)
	}
	for range attempts {
		if err = publish(root, from, key); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		// Either error may come of a folder that comes or goes at this moment.
		if failed := root.MkdirAll(path.Dir(key), 0o700); failed != nil && !errors.Is(failed, fs.ErrNotExist) && !errors.Is(failed, fs.ErrExist) {
			err = failed
			break
		}
	}
	_ = root.Remove(from) // unless it was renamed; sweep does it if this does not
	return explain(err)
}

// write makes a file. Its bytes are on the disk, or Flush brings there what went around
// the page cache: waiting for the file system's journal with each object takes longer
// than all the rest.
func write(root *os.Root, name string, data []byte) error {
	f, around, err := put(root, name, data)
	if f == nil {
		return err
	}
	if err == nil && len(data)%direct.Block != 0 {
		err = f.Truncate(int64(len(data))) // whole blocks may have been written
	}
	if err == nil && !around {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Get reads a file; see backup.Driver.
func (d *Driver) Get(ctx context.Context, key string, buffer []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, explain(err)
	}
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	f, whole, err := openDirect(root, key, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, explain(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, explain(err)
	}
	if !info.Mode().IsRegular() || info.Size() > int64(cap(buffer)) {
		return nil, fault.New(fault.Invalid, "the object is longer than expected, or no file")
	}
	if into, ok := wholeBlocks(buffer, int(info.Size())); ok && whole {
		if n, err := f.Read(into); err == nil && int64(n) >= info.Size() {
			return buffer[:info.Size()], nil
		}
	}
	if whole { // a short one, or one that could not be read so
		if err := buffered(f); err != nil {
			return nil, explain(err)
		}
	}
	n, err := f.ReadAt(buffer[:info.Size()], 0)
	if err != nil {
		return nil, explain(err)
	}
	return buffer[:n], nil
}

// List reads one directory; see backup.Driver.
func (d *Driver) List(ctx context.Context, folder, after string, visit func(backup.Object) bool) error {
	root, err := d.open()
	if err != nil {
		return err
	}
	entries, err := fs.ReadDir(root.FS(), folder) // in the order of names
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return explain(err)
	}
	for _, e := range entries {
		key := folder + "/" + e.Name()
		if !e.Type().IsRegular() || key <= after {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken away meanwhile
		}
		if err != nil {
			return explain(err)
		}
		if ctx.Err() != nil {
			return explain(ctx.Err())
		}
		if !visit(backup.Object{Key: key, Bytes: info.Size()}) {
			return nil
		}
	}
	return nil
}

// Delete removes files, and their folder when it is empty then; see backup.Driver.
func (d *Driver) Delete(ctx context.Context, keys []string) error {
	root, err := d.open()
	if err != nil || len(keys) == 0 {
		return err
	}
	for _, key := range keys {
		if ctx.Err() != nil {
			return explain(ctx.Err())
		}
		if err := root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain(err)
		}
	}
	_ = root.Remove(path.Dir(keys[0])) // unless it is not empty
	return nil
}

// Flush brings objects that went around the page cache to the disk for good, and has
// the directories remember their names; see backup.Driver. It asks for all of them,
// since an earlier process may have stored some.
func (d *Driver) Flush(ctx context.Context, folder string) error {
	root, err := d.open()
	if err != nil {
		return err
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(flushes)
	err = d.List(ctx, folder, "", func(o backup.Object) bool {
		if o.Bytes >= worthDirect {
			group.Go(func() error { return flush(root, o.Key) })
		}
		return within.Err() == nil
	})
	if err := errors.Join(group.Wait(), err); err != nil {
		return explain(err)
	}
	for ; ; folder = path.Dir(folder) {
		if err := flush(root, folder); err != nil {
			return explain(err)
		}
		if folder == "." {
			return nil
		}
	}
}

// flush returns when a file or directory is on the disk.
func flush(root *os.Root, name string) error {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was stored there, or it was taken away
	}
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil && !errors.Is(err, unix.EINVAL) { // not every file system can with directories
		return err
	}
	return nil
}

// explain makes a fault of what the kernel said.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.Timeout, "the backup store was not waited for any longer")
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(err, fault.NotFound, "there is no such object in the backup store")
	case errors.Is(err, fs.ErrExist):
		return fault.Wrap(err, fault.Conflict, "there is such an object in the backup store already")
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fault.Wrap(err, fault.NoSpace, "the backup store is full")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EROFS):
		return fault.Wrap(err, fault.Forbidden, "the storage node may not write to the backup store")
	}
	return fault.Wrap(err, fault.Unavailable, "the backup store does not work")
}
