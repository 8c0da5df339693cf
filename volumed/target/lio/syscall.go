package lio

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

func rmdir(path string) error {
	return named("rmdir", path, unix.Rmdir(path))
}

func unlink(path string) error {
	return named("unlink", path, unix.Unlink(path))
}

func named(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// is tells whether the kernel said one of these.
func is(err error, errnos ...unix.Errno) bool {
	for _, e := range errnos {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
