package volumed

import (
	"context"
	"log/slog"
	"time"

	"clinker/volumed/rpc"
)

// openBackups opens the backup store as soon as it can be reached: until then the
// node says that it keeps no backups.
func (s *Server) openBackups(ctx context.Context) {
	if s.options.Backups == nil {
		return
	}
	for retry := firstRetry; ; retry = min(2*retry, time.Minute) {
		err := s.options.Backups.Store.Open(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		slog.WarnContext(ctx, "the backup store cannot be used", "location", s.options.Backups.Store.Location, "error", err)
		if !pause(ctx, retry) {
			return
		}
	}
}

// self is how the node presents itself at the moment.
func (s *Server) self() rpc.Node {
	node := s.node
	if b := s.options.Backups; b != nil {
		node.BackupDriver, node.BackupStore, node.BackupContainer = b.Driver, b.Store.ID(), b.Container
	}
	return node
}
