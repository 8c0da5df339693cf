package backendtest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// pool is the backend under test, and what the test must clean up after itself.
type pool struct {
	*testing.T
	backend.Backend
	Options

	asked sync.Once
	thin  bool
	mutex sync.Mutex
	names []string // in the order in which they were given out
	ids   []string // in them
}

// volume and snapshot give a name nobody has had, and see to it that nothing is
// left under it.
func (p *pool) volume() string   { return p.named(backend.VolumeName) }
func (p *pool) snapshot() string { return p.named(backend.SnapshotName) }

func (p *pool) named(template func(id string) string) string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.names == nil {
		p.Cleanup(p.clean)
	}
	id := uuid.NewString()
	p.ids = append(p.ids, id)
	p.names = append(p.names, template(id))
	return template(id)
}

// clean deletes the youngest first: snapshots before their volumes.
func (p *pool) clean() {
	if p.Clear != nil {
		p.Clear(p.T, p.ids)
		return
	}
	left, err := p.List(context.Background())
	p.ok(err)
	for _, name := range slices.Backward(p.names) {
		if !slices.ContainsFunc(left, func(e backend.Entry) bool { return e.Name == name }) {
			continue
		}
		if err := p.Delete(context.Background(), name); err != nil {
			p.Errorf("cleaning up %s: %v", name, err)
		}
	}
	for _, entry := range p.trashed() {
		if err := p.Purge(context.Background(), entry.Name, freely); err != nil {
			p.Errorf("cleaning up %s: %v", entry.Name, err)
		}
	}
}

// trashed gives the part of Trash that came from this test's names.
func (p *pool) trashed() (mine []backend.Entry) {
	p.Helper()
	trash, err := p.Trash(context.Background())
	p.ok(err)
	for _, entry := range trash {
		if slices.ContainsFunc(p.ids, func(id string) bool { return strings.Contains(entry.Name, id) }) {
			mine = append(mine, entry)
		}
	}
	return mine
}

// made gives a new volume of that size.
func (p *pool) made(size int64) string {
	p.Helper()
	name := p.volume()
	p.ok(p.Create(p.Context(), name, size))
	return name
}

// gone deletes volumes and waits for their wipe.
func (p *pool) gone(names ...string) {
	p.Helper()
	for _, name := range names {
		p.ok(p.Delete(p.Context(), name))
	}
	for _, entry := range p.trashed() {
		p.ok(p.Purge(p.Context(), entry.Name, freely))
	}
}

// freely spends without a limit.
func freely(context.Context, int) error { return nil }

// open opens the volume's device until the test's end or until it is closed.
func (p *pool) open(name string) *os.File {
	p.Helper()
	path, err := p.Device(p.Context(), name)
	p.ok(err)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	p.ok(err)
	p.Cleanup(func() { f.Close() })
	return f
}

// listed gives the entry of that name in List.
func (p *pool) listed(name string) (backend.Entry, bool) {
	p.Helper()
	entries, err := p.List(p.Context())
	p.ok(err)
	for _, entry := range entries {
		if entry.Name == name {
			return entry, true
		}
	}
	return backend.Entry{}, false
}

// has checks whether List shows the name, and with how many bytes at least.
func (p *pool) has(name string, bytes int64) {
	p.Helper()
	if entry, ok := p.listed(name); !ok || entry.Bytes < bytes {
		p.Fatalf("List shows %s: %v with %d bytes, want it with %d", name, ok, entry.Bytes, bytes)
	}
}

func (p *pool) hasNot(name string) {
	p.Helper()
	if _, ok := p.listed(name); ok {
		p.Fatalf("List shows %s", name)
	}
}

func (p *pool) capacity() backend.Capacity {
	p.Helper()
	c, err := p.Capacity(p.Context())
	p.ok(err)
	return c
}

// zeroes tells whether new volumes read as zeroes.
func (p *pool) zeroes() bool {
	p.Helper()
	p.asked.Do(func() { p.thin = p.capacity().Thin })
	return p.thin
}

func (p *pool) ok(err error) {
	p.Helper()
	if err != nil {
		cause := errors.Unwrap(err)
		p.Fatalf("%v (cause: %v)", err, cause)
	}
}

// refused checks the code of an error.
func (p *pool) refused(err error, want fault.Code) {
	p.Helper()
	if got := fault.CodeOf(err); got != want {
		p.Fatalf("got %q (%v), want %q", got, err, want)
	}
	if fault.MessageOf(err) == "" {
		p.Fatalf("%v: says nothing to the caller", err)
	}
}
