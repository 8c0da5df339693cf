package lio

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// configfs is the few operations that LIO is made of. The real one is tree;
// tests count them and break off between any two.
type configfs interface {
	list(path string) ([]string, error) // nothing if path does not exist; sorted
	read(path string) (string, error)   // without the last line break; "" if it does not exist
	write(path, value string) error
	mkdir(path string) error
	rmdir(path string) error
	link(to, path string) error
	follow(path string) (string, error) // what a link leads to, "" if it does not exist
	unlink(path string) error
}

// tree is configfs below a directory.
type tree struct{ root string }

func (t tree) at(path string) string { return filepath.Join(t.root, path) }

func (t tree) list(path string) ([]string, error) {
	entries, err := os.ReadDir(t.at(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, err
}

func (t tree) read(path string) (string, error) {
	b, err := os.ReadFile(t.at(path))
	if errors.Is(err, fs.ErrNotExist) || is(err, unix.ENODEV) { // ENODEV while it is being removed
		return "", nil
	}
	return string(bytes.TrimRight(b, "\n\x00")), err
}

// write hands the kernel the value in one piece, as an attribute wants it.
func (t tree) write(path, value string) error {
	f, err := os.OpenFile(t.at(path), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// The next four may be repeated: what is as it should be is no error.

func (t tree) mkdir(path string) error {
	return unless(fs.ErrExist, os.Mkdir(t.at(path), 0o755))
}

func (t tree) rmdir(path string) error {
	return unless(fs.ErrNotExist, rmdir(t.at(path)))
}

func (t tree) link(to, path string) error {
	return unless(fs.ErrExist, os.Symlink(t.at(to), t.at(path)))
}

func (t tree) unlink(path string) error {
	return unless(fs.ErrNotExist, unlink(t.at(path)))
}

func (t tree) follow(path string) (string, error) {
	to, err := os.Readlink(t.at(path))
	if err != nil {
		return "", unless(fs.ErrNotExist, err)
	}
	if !filepath.IsAbs(to) { // configfs makes links relative
		to = filepath.Join(filepath.Dir(t.at(path)), to)
	}
	rest, found := strings.CutPrefix(to, t.root+"/")
	if !found {
		return to, nil
	}
	return rest, nil
}

func unless(fine, err error) error {
	if errors.Is(err, fine) {
		return nil
	}
	return err
}
