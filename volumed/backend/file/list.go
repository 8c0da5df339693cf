package file

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"clinker/volumed/backend"
)

// List reads the directory; see backend.Backend.
func (b *Backend) List(context.Context) ([]backend.Entry, error) {
	var volumes []backend.Entry
	err := b.each(func(file fs.FileInfo) {
		if backend.CheckName(file.Name()) == nil {
			volumes = append(volumes, backend.Entry{Name: file.Name(), Bytes: file.Size()})
		}
	})
	return volumes, err
}

// Capacity asks the file system and adds up the directory; see backend.Backend.
func (b *Backend) Capacity(context.Context) (backend.Capacity, error) {
	var system unix.Statfs_t
	if err := unix.Statfs(b.directory, &system); err != nil {
		return backend.Capacity{}, &fs.PathError{Op: "statfs", Path: b.directory, Err: err}
	}
	capacity := backend.Capacity{
		TotalBytes: int64(system.Blocks) * system.Frsize,
		FreeBytes:  int64(system.Bavail) * system.Frsize,
		Thin:       true,
		Disks:      b.disks(),
	}
	err := b.each(func(file fs.FileInfo) {
		capacity.ProvisionedBytes += file.Size()
		if backend.CheckName(file.Name()) == nil {
			capacity.LiveBytes += file.Size()
		}
	})
	return capacity, err
}

// each visits the regular files in the order of their names.
func (b *Backend) each(visit func(fs.FileInfo)) error {
	entries, err := os.ReadDir(b.directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted since the directory was read
		}
		if err != nil {
			return err
		}
		visit(info)
	}
	return nil
}

// disks is empty where the file system has no one block device beneath it.
func (b *Backend) disks() []string {
	var directory unix.Stat_t
	if unix.Stat(b.directory, &directory) != nil {
		return nil
	}
	disk, ok := backend.DiskOf(directory.Dev)
	if !ok {
		return nil
	}
	return []string{disk}
}

// Device gives the file's path; see backend.Backend.
func (b *Backend) Device(_ context.Context, name string) (string, error) {
	if err := backend.CheckName(name); err != nil {
		return "", err
	}
	_, ok, err := b.size(name)
	if err == nil && !ok {
		err = explain(fs.ErrNotExist, name)
	}
	if err != nil {
		return "", err
	}
	return b.path(name), nil
}
