package builtin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"clinker/internal/fault"
)

const usersFile = "users.yaml"

// lookEvery is how often, at most, users.yaml is looked at for a change.
const lookEvery = time.Second

// store holds the directory and reads it again when its file has changed.
type store struct {
	path    string
	current atomic.Pointer[directory]
	looked  atomic.Int64 // Unix nanoseconds of the last look

	mu    sync.Mutex // one reader of the file at a time
	stamp stamp
}

// stamp tells two states of a file apart.
type stamp struct {
	modified time.Time
	size     int64
}

func openStore(dir string) (*store, error) {
	s := &store{path: filepath.Join(dir, usersFile)}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.looked.Store(time.Now().UnixNano())
	return s, nil
}

// get gives the directory as of at most lookEvery ago. A file that has become
// unreadable leaves the last good one in force: a slip of the editor must not
// lock everybody out.
func (s *store) get() *directory {
	now, last := time.Now().UnixNano(), s.looked.Load()
	if now-last >= int64(lookEvery) && s.looked.CompareAndSwap(last, now) {
		if err := s.load(); err != nil {
			slog.ErrorContext(context.Background(), "built-in identity keeps the users it had", "error", err)
		}
	}
	return s.current.Load()
}

func (s *store) load() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(err, fault.NotFound, "the built-in identity has no users yet: start clinker identity first")
	}
	if err != nil {
		return err
	}
	seen := stamp{info.ModTime(), info.Size()}
	if s.current.Load() != nil && seen == s.stamp {
		return nil
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	s.stamp = seen // also when it is bad: say so once, not every second
	d, err := parseDirectory(text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	s.current.Store(d)
	return nil
}
