package copy

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"clinker/internal/fault"
)

// scratchPrefix begins the names of a node's files in Directory: no node's name has an @.
func (o Options) scratchPrefix() string { return "image-" + o.Node + "@" }

// nobodys are files of programs that did not write their node's name into them.
var nobodys = regexp.MustCompile(`^image-[0-9]+$`)

// scratch makes a private file, which is discarded by who has asked for it.
func (o Options) scratch() (*os.File, error) { return os.CreateTemp(o.Directory, o.scratchPrefix()) }

// discard takes a scratch file away.
func discard(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// sweep takes away what an earlier process of the node left. Another node's may be in use.
func (o Options) sweep() error {
	entries, err := os.ReadDir(o.Directory)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "image_conversion_dir cannot be read")
	}
	for _, e := range entries {
		ours := strings.HasPrefix(e.Name(), o.scratchPrefix()) || nobodys.MatchString(e.Name())
		if ours && e.Type().IsRegular() {
			err = errors.Join(err, remove(filepath.Join(o.Directory, e.Name())))
		}
	}
	return err
}

// remove is os.Remove of what another node may remove at the same time.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
