package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// cold has volumes, backups and images on the disk and out of the page cache
// (posix_fadvise(2)): they are larger than memory where it matters how fast they are
// copied, and whoever copies one second would find it there.
func (r *ratesCloud) cold() (err error) {
	unix.Sync() // what waits to be written would count for whoever comes next
	for _, path := range append(slices.Collect(maps.Values(r.images.files)), append(r.nodes, filepath.Join(r.dir, "backups"))...) {
		err = errors.Join(err, forget(path))
	}
	return err
}

// forget is for a file, or all below a folder.
func forget(path string) error {
	return filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return gone(err)
		}
		f, err := os.Open(path)
		if err != nil {
			return gone(err)
		}
		return errors.Join(unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
	})
}

// gone forgives a file that somebody has taken away meanwhile.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
