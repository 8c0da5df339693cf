package scheduler

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
)

// beats is how many heartbeats fit into the time after which a scheduler counts
// as dead: one or two that come late kill nobody.
const beats = 4

// beatInterval is the time between two heartbeats. The API counts a scheduler as down
// after service_down_time, like any service.
func (s *Scheduler) beatInterval() time.Duration {
	return min(s.options.DeadAfter/beats, s.options.ServiceDownTime/3)
}

// beat says that this scheduler lives, and takes the jobs of those that do not.
func (s *Scheduler) beat(ctx context.Context) {
	err := s.heartbeat(ctx)
	turned := s.beating.Turned(err)
	switch {
	case err != nil && turned:
		slog.WarnContext(ctx, "heartbeat failed: while this goes on, this scheduler counts as dead", "error", err)
	case turned:
		slog.InfoContext(ctx, "heartbeats are written again")
	}
	if err != nil {
		return
	}
	s.obeyLogRequests(ctx)
	rescued, err := s.options.DB.RescueJobs(ctx, s.options.DeadAfter, jobTimeout+s.options.StopTimeout)
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
