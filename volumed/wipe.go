package volumed

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// wipe zeroes what was deleted from a pool, one entry after the other, the
// oldest first as the backend lists them. It can be stopped at any point:
// Purge goes on from what the storage itself remembers.
func (s *Server) wipe(ctx context.Context, name string, p *pool) {
	spend := budget(p.WipeBytesPerSecond)
	tick := time.NewTicker(s.options.WipeInterval)
	defer tick.Stop()
	for {
		trash, err := p.Storage.Trash(ctx)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "trash cannot be listed", "pool", name, "error", err)
		}
		for _, entry := range trash {
			if err := p.Storage.Purge(ctx, entry.Name, spend); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "trash cannot be wiped, it is tried again", "pool", name, "entry", entry.Name, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wipe:
		case <-tick.C:
		}
	}
}

// budget lets that many bytes pass in a second, all calls together; 0 is no
// bound. A call for more than a second's bytes is served in parts.
func budget(bytesPerSecond int64) func(ctx context.Context, bytes int) error {
	if bytesPerSecond <= 0 {
		return func(ctx context.Context, _ int) error { return ctx.Err() }
	}
	burst := int(min(bytesPerSecond, 1<<30))
	limiter := rate.NewLimiter(rate.Limit(bytesPerSecond), burst)
	return func(ctx context.Context, bytes int) error {
		for bytes > 0 {
			part := min(bytes, burst)
			if err := limiter.WaitN(ctx, part); err != nil {
				return err
			}
			bytes -= part
		}
		return nil
	}
}
