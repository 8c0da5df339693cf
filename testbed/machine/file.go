package machine

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
)

// Put writes a file in the guest, whose root is in its memory, and makes the
// folders above it. What was there is replaced.
func (m *Machine) Put(ctx context.Context, path string, mode fs.FileMode, content io.Reader) error {
	query := url.Values{"path": {path}, "mode": {strconv.FormatUint(uint64(mode.Perm()), 8)}}
	return m.discard(ctx, http.MethodPut, "/file", query, content)
}

// PutFile copies a file of the host, with its mode, to a path in the guest.
func (m *Machine) PutFile(ctx context.Context, path, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return m.Put(ctx, path, info.Mode(), f)
}

// PutFiles copies files: paths in the guest to paths on the host.
func (m *Machine) PutFiles(ctx context.Context, files map[string]string) error {
	for path, from := range files {
		if err := m.PutFile(ctx, path, from); err != nil {
			return err
		}
	}
	return nil
}

// PutDir copies the regular files below a folder of the host.
func (m *Machine) PutDir(ctx context.Context, to, from string) error {
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		relative, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		return m.PutFile(ctx, path.Join(to, filepath.ToSlash(relative)), name)
	})
}

// Get returns the content of a file in the guest.
func (m *Machine) Get(ctx context.Context, path string) ([]byte, error) {
	access, ctx, cancel, err := m.reach(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	body, err := access.do(ctx, http.MethodGet, "/file", url.Values{"path": {path}}, nil)
	if err != nil {
		return nil, fmt.Errorf("guest %s: %w", m.options.Name, err)
	}
	defer body.Close()
	return io.ReadAll(body)
}

// discard sends a request whose answer has no content.
func (m *Machine) discard(ctx context.Context, method, path string, query url.Values, content io.Reader) error {
	access, ctx, cancel, err := m.reach(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	body, err := access.do(ctx, method, path, query, content)
	if err != nil {
		return fmt.Errorf("guest %s: %w", m.options.Name, err)
	}
	return body.Close()
}
