package volumed

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"clinker/internal/fault"
	"clinker/volumed/journal"
)

const (
	// restoreAtOnce is how many exports are restored side by side; with LVM
	// and LIO each is a program or two, waiting for the kernel.
	restoreAtOnce = 8

	// restorePatience is how long the start waits for that: calls can be
	// served before, but a control plane that sees few exports may worry.
	restorePatience = 20 * time.Second

	firstRetry = time.Second
	lastRetry  = time.Minute
)

// restore tries every export of the journal once. One that fails is tried
// again in the background, without end, and holds up none of the others.
func (s *Server) restore(ctx context.Context) error {
	all, err := s.journal.Exports()
	if err != nil {
		return err
	}
	begun := time.Now()
	s.converge(ctx, all)
	slog.InfoContext(ctx, "exports restored", "volumes", len(all), "failing", s.repairs.count(), "took", time.Since(begun))
	return nil
}

// converge makes the targets as the journal wants these exports.
func (s *Server) converge(ctx context.Context, exports []journal.Export) {
	var group errgroup.Group
	group.SetLimit(restoreAtOnce)
	for _, e := range exports {
		group.Go(func() error {
			if err := s.restoreOne(ctx, e.Volume); err != nil && ctx.Err() == nil {
				s.repair(e.Volume, err)
			}
			return nil
		})
	}
	_ = group.Wait() // none gives an error
}

// restoreOne is refresh within the time that one export may take.
func (s *Server) restoreOne(ctx context.Context, volumeID string) error {
	ctx, cancel := context.WithTimeout(ctx, exportLimit)
	defer cancel()
	return s.refresh(ctx, volumeID)
}

// repairs remembers which exports are being tried again.
type repairs struct {
	mu     sync.Mutex
	active map[string]bool
}

func (r *repairs) begin(volumeID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active[volumeID] {
		return false
	}
	r.active[volumeID] = true
	return true
}

func (r *repairs) end(volumeID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.active, volumeID)
}

func (r *repairs) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.active)
}

// repair tries an export again until it is as the journal wants it, in the
// background. It says once why, and once that it is well again.
func (s *Server) repair(volumeID string, reason error) {
	if !s.repairs.begin(volumeID) {
		return
	}
	ctx := s.work.open
	slog.WarnContext(ctx, "export failed, it is tried again", "volume", volumeID,
		"code", string(fault.CodeOf(reason)), "error", reason)
	started := s.work.spawn(func() {
		defer s.repairs.end(volumeID)
		for delay := firstRetry; pause(ctx, delay); delay = min(2*delay, lastRetry) {
			if s.restoreOne(ctx, volumeID) == nil {
				slog.InfoContext(ctx, "export is well again", "volume", volumeID)
				return
			}
		}
	})
	if !started {
		s.repairs.end(volumeID)
	}
}

// check compares journal and targets now and then, and whenever it is told
// that a target's daemon was started anew. It also clears up behind uploads.
func (s *Server) check(ctx context.Context) {
	tick := time.NewTicker(s.options.CheckInterval)
	defer tick.Stop()
	for {
		if err := s.dropStills(ctx, ""); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "copies of volumes that were made into images are left for now", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.recheck:
		}
		for name, p := range s.pools {
			if p.usable() != nil {
				continue
			}
			if err := s.checkPool(ctx, name, p); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "exports cannot be checked", "pool", name, "error", err)
			}
		}
	}
}

func (s *Server) checkPool(ctx context.Context, name string, p *pool) error {
	wanted, err := s.journal.Exports()
	if err != nil {
		return err
	}
	have, err := p.listed(ctx)
	if err != nil {
		return err
	}
	s.tellUnknown(ctx, name, p, have)
	var drifted []journal.Export
	for _, e := range wanted {
		if e.Pool == name && p.drifted(e, have) {
			drifted = append(drifted, e)
		}
	}
	if len(drifted) > 0 {
		slog.WarnContext(ctx, "the target has lost exports, they are made again", "pool", name, "volumes", len(drifted))
		s.converge(ctx, drifted)
	}
	return nil
}
