package scheduler

import (
	"context"
	"log/slog"

	"clinker/db"
	"clinker/internal/telemetry"
)

// obeyLogRequests sets the levels that an administrator has asked this scheduler
// to log at, and tells what they are.
func (s *Scheduler) obeyLogRequests(ctx context.Context) {
	asked, err := s.options.DB.TakeLogRequests(ctx, s.options.Host, db.DaemonScheduler)
	for _, r := range asked {
		if err := telemetry.SetLevel(r.Prefix, r.Level); err == nil {
			slog.InfoContext(ctx, "log level set", "prefix", r.Prefix, "level", r.Level)
		}
	}
	if err == nil {
		err = s.options.DB.RecordLogLevels(ctx, s.options.Host, db.DaemonScheduler, telemetry.Overrides())
	}
	if err != nil {
		slog.WarnContext(ctx, "log levels could not be looked up", "error", err)
	}
}
