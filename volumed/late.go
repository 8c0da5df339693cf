package volumed

import (
	"context"
	"log/slog"
	"sync"

	"clinker/internal/fault"
)

// opening is whether a pool can be used yet: its disks may come after the node, or
// not at all, and the node's other pools are served meanwhile.
type opening struct {
	mu      sync.Mutex
	trouble error // nil once the pool is open
}

func (o *opening) get() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.trouble
}

func (o *opening) set(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trouble = err
}

// usable is nil when the pool is open, else Unavailable with what is in the way.
func (p *pool) usable() error {
	err := p.opening.get()
	if err == nil {
		return nil
	}
	return fault.Wrap(err, fault.Unavailable, "the pool cannot be opened on its storage node: %s", fault.MessageOf(err))
}

// open opens a pool that could not be opened when the node started, however long that
// takes, and has its exports made. False when ctx ended before.
func (s *Server) open(ctx context.Context, name string, p *pool) bool {
	if p.usable() == nil {
		return true
	}
	slog.ErrorContext(ctx, "pool cannot be opened, it is tried again; the others are served", "pool", name, "error", p.opening.get())
	for pause(ctx, s.options.OpenInterval) {
		storage, err := p.Open(ctx)
		if err != nil {
			p.opening.set(err)
			continue
		}
		p.Storage = storage
		p.opening.set(nil) // and from here on others read Storage
		slog.InfoContext(ctx, "pool is open", "pool", name)
		s.Recheck()
		return true
	}
	return false
}
