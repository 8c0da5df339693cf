package scheduler_test

import (
	"context"
	"testing"
	"time"

	"clinker/db"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// TestLogLevel: a scheduler hears with its next heartbeat what it is to log, and
// tells what it does. The logger is nobody's: levels are the whole process's.
func TestLogLevel(t *testing.T) {
	t.Parallel()
	r := newRig(t, nodetest.New("a").WithPool("lvm", "vg", gib))
	r.adjust = func(o *scheduler.Options) { o.DeadAfter = time.Second }
	r.start()
	services, err := r.db.Services(t.Context(), "", db.DaemonScheduler)
	if err != nil || len(services) != 1 {
		t.Fatal(services, err)
	}
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.RequestLogLevel(ctx, []string{services[0].ID}, "clinker.nobody", "debug")
	})
	r.eventually("the level is told", func() bool {
		services, err := r.db.Services(t.Context(), "", db.DaemonScheduler)
		return err == nil && services[0].LogLevels["clinker.nobody"] == "DEBUG"
	})
	if left, err := r.db.LogRequests(t.Context()); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}
