package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Phases are all that there is to measure, in the order in which it is done.
var Phases = []string{"fill", "list 1000", "list 50", "show", "create", "attach", "extend", "delete", "life"}

// session is one run against one endpoint.
type session struct {
	Options
	client    *client
	snapshots bool     // the server has them
	filled    []string // the volumes that lists and shows are about
	paces     map[string]*pace

	mu   sync.Mutex
	made map[string]bool // every volume that is there because of us
}

// Run goes through the phases. It deletes what it made before it returns; when
// ctx ends, at once. Errors of single requests are counted in the results; its
// own error means that it could not go on.
func Run(ctx context.Context, e Endpoint, o Options) ([]Result, error) {
	c, err := newClient(e, slices.Max(o.Workers))
	if err != nil {
		return nil, err
	}
	s := &session{Options: o, client: c, made: map[string]bool{}, paces: map[string]*pace{}}
	if len(s.Phases) == 0 {
		s.Phases = Phases
	}
	if s.Observe == nil {
		s.Observe = func(string, int) func(*Result) { return func(*Result) {} }
	}
	results, err := s.run(ctx)
	return results, errors.Join(err, s.clean(context.WithoutCancel(ctx)))
}

func (s *session) run(ctx context.Context) ([]Result, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	var results []Result
	reads := slices.DeleteFunc(s.reads(), func(r read) bool { return !slices.Contains(s.Phases, r.phase) })
	if slices.Contains(s.Phases, "fill") || len(reads) > 0 {
		results = append(results, s.fill(ctx))
	}
	for _, workers := range s.Workers {
		s.warmUp(ctx, workers)
		for _, r := range reads {
			if len(s.filled) > 0 {
				s.measure(ctx, r.phase, workers, s.Duration/5, r.work) // not counted
				results = append(results, s.observe(ctx, r.phase, workers, r.work))
			}
		}
		results = append(results, s.writes(ctx, workers)...)
	}
	return results, ctx.Err()
}

// prepare finds out whether the endpoint answers and what it has.
func (s *session) prepare() error {
	w := s.client.worker(0)
	if _, err := w.call("GET", "/volumes?limit=1", nil); err != nil {
		return fmt.Errorf("the endpoint cannot be used: %w", err)
	}
	_, err := w.call("GET", "/snapshots?limit=1", nil)
	s.snapshots = err == nil
	if !s.Quota {
		return nil
	}
	if _, err := w.call("PUT", "/os-quota-sets/"+s.client.endpoint.Project, []byte(
		`{"quota_set":{"volumes":-1,"snapshots":-1,"gigabytes":-1,"per_volume_gigabytes":-1}}`)); err != nil {
		return fmt.Errorf("lift the quota: %w", err)
	}
	return nil
}

// measure runs one bout.
func (s *session) measure(ctx context.Context, phase string, workers int, d time.Duration, do work) Result {
	b := &bout{phase: phase, workers: workers, duration: d, do: do}
	return b.run(ctx, s.client)
}

// observe runs one bout that counts.
func (s *session) observe(ctx context.Context, phase string, workers int, do work) Result {
	end := s.Observe(phase, workers)
	result := s.measure(ctx, phase, workers, s.Duration, do)
	end(&result)
	return result
}

// warmUp takes a few volumes through their life, so that the first measured one
// is not the one for which the server opens its connections.
func (s *session) warmUp(ctx context.Context, workers int) {
	s.measure(ctx, "warm-up", workers, s.Duration/5, s.life)
}

// pace gives the pace of one thing that is waited for with so many workers.
func (s *session) pace(what string) *pace {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paces[what] == nil {
		s.paces[what] = &pace{interval: s.Poll}
	}
	return s.paces[what]
}
