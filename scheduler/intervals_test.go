package scheduler

import (
	"testing"
	"time"

	"clinker/db"
	"clinker/scheduler/nodetest"
)

// TestIntervals: neither a pool that is polled nor this scheduler itself counts as down
// between two signs of life, however short service_down_time is.
func TestIntervals(t *testing.T) {
	t.Parallel()
	for _, down := range []time.Duration{2 * time.Second, 5 * time.Second, time.Minute, 0} {
		s, err := New(Options{DB: &db.DB{}, Nodes: nodetest.NewNetwork(), Host: "control", ServiceDownTime: down})
		if err != nil {
			t.Fatal(err)
		}
		down := s.options.ServiceDownTime
		if poll := s.options.PollInterval + s.options.PollInterval/4; poll > down/2 {
			t.Errorf("service_down_time %s: polled every %s", down, poll)
		}
		if beat := s.beatInterval(); beat > down/2 || beat > s.options.DeadAfter/beats {
			t.Errorf("service_down_time %s: a heartbeat every %s", down, beat)
		}
	}
}
