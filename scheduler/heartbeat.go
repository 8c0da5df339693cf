package scheduler

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
)

// A scheduler that has not been heard of for deadAfter is dead, and its jobs
// are given to others. Three heartbeats fit in: one that is late kills nobody.
// If one does live on after all, its jobs run twice, which does no harm.
const (
	heartbeatInterval = 4 * time.Second
	deadAfter         = 15 * time.Second
)

// beat says that this scheduler lives, and takes the jobs of those that do not.
func (s *Scheduler) beat(ctx context.Context) {
	if err := s.heartbeat(ctx); err != nil {
		slog.WarnContext(ctx, "heartbeat failed", "error", err)
		return
	}
	rescued, err := s.options.DB.RescueJobs(ctx, deadAfter)
	if err != nil {
		slog.WarnContext(ctx, "the jobs of dead schedulers could not be looked for", "error", err)
	}
	if rescued > 0 {
		slog.InfoContext(ctx, "took over the jobs of a dead scheduler", "jobs", rescued)
	}
}

// heartbeat writes this scheduler's row, with the id of its River client: that
// of an earlier process of the same host is forgotten, and its jobs are free.
func (s *Scheduler) heartbeat(ctx context.Context) error {
	_, err := s.options.DB.Heartbeat(ctx, db.Service{
		Host: s.options.Host, Daemon: db.DaemonScheduler, AvailabilityZone: s.options.Zone,
		NodeUUID: &s.client, Version: s.options.Version,
	})
	return err
}
