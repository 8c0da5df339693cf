package policy

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"clinker/internal/fault"
)

// watched is what is known of the policy file.
type watched struct {
	mu     sync.Mutex
	loaded stamp // when it was read, or refused, last
	seen   stamp // at the last look
}

// stamp tells two states of a file apart.
type stamp struct {
	modified time.Time
	size     int64
	trouble  string // why there is nothing to be told; "" for none
}

func look(path string) stamp {
	if path == "" {
		return stamp{}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return stamp{trouble: "it is gone"}
	case err != nil:
		return stamp{trouble: "it cannot be read"}
	}
	return stamp{modified: info.ModTime(), size: info.Size()}
}

// Reload reads the policy file again if it has changed, as oslo.policy does; fresh
// tells that its rules hold from now on. A file that is gone or that New would refuse
// leaves the rules as they were: the error, an Invalid fault, says why, once for each
// state of the file. One that still changes from one call to the next is waited for:
// half a file may be a whole one of other rules. May be repeated, in intervals of
// about a second.
func (e *Enforcer) Reload() (fresh bool, warnings []Warning, err error) {
	e.file.mu.Lock()
	defer e.file.mu.Unlock()
	before := e.file.seen
	e.file.seen = look(e.options.File)
	if e.file.seen == e.file.loaded || e.file.seen != before {
		return false, nil, nil
	}
	e.file.loaded = e.file.seen
	if e.file.seen.trouble != "" {
		return false, nil, fault.New(fault.Invalid, "%s: %s", e.options.File, e.file.seen.trouble)
	}
	set, warnings, err := assemble(e.options)
	if err != nil {
		return false, nil, err
	}
	e.current.Store(set)
	return true, warnings, nil
}
