package file

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"clinker/volumed/backend"
)

// ownerFile says whose the directory is; see backend.NotOurs. Its name is that of nothing
// that could be managed.
const ownerFile = ".clinker-node"

// claim makes the directory the owner's, unless it is already. Invalid when it is
// another's. It may be repeated.
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
	return nil
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
