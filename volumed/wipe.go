package volumed

import (
	"context"
	"log/slog"
	"time"

	"clinker/internal/pace"
)

// wipe zeroes what was deleted from a pool, one entry after the other, the
// oldest first as the backend lists them. It can be stopped at any point:
// Purge goes on from what the storage itself remembers.
func (s *Server) wipe(ctx context.Context, name string, p *pool) {
	budget := pace.New(p.WipeBytesPerSecond)
	spend := func(ctx context.Context, bytes int) error { return budget.Spend(ctx, int64(bytes)) }
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
