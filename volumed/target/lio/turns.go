package lio

import (
	"context"
	"sync"

	"clinker/internal/fault"
)

// turns lets one call at a time work on an IQN. A call waits in the kernel
// until an initiator's last command has ended, which no context can hurry: it is
// then left behind, and the next call must not overtake it.
type turns struct {
	mu   sync.Mutex
	busy map[string]bool
}

// take runs work for an IQN. When ctx ends first it returns Timeout at once;
// work is told by its context, and stops at its next step.
func (t *turns) take(ctx context.Context, iqn string, work func(context.Context) error) error {
	t.mu.Lock()
	if t.busy[iqn] {
		t.mu.Unlock()
		return fault.New(fault.InProgress, "an earlier change of this export is still under way")
	}
	if t.busy == nil {
		t.busy = map[string]bool{}
	}
	t.busy[iqn] = true
	t.mu.Unlock()

	done := make(chan error, 1)
	go func() {
		err := work(ctx)
		t.mu.Lock()
		delete(t.busy, iqn)
		t.mu.Unlock()
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Timeout, "the kernel's iSCSI target did not finish in time")
	}
}

// stoppable refuses to go on once its context has ended.
type stoppable struct {
	configfs
	ctx context.Context
}

func (s stoppable) write(path, value string) error {
	return s.unless(func() error { return s.configfs.write(path, value) })
}
func (s stoppable) mkdir(path string) error {
	return s.unless(func() error { return s.configfs.mkdir(path) })
}
func (s stoppable) rmdir(path string) error {
	return s.unless(func() error { return s.configfs.rmdir(path) })
}
func (s stoppable) link(to, path string) error {
	return s.unless(func() error { return s.configfs.link(to, path) })
}
func (s stoppable) unlink(path string) error {
	return s.unless(func() error { return s.configfs.unlink(path) })
}

func (s stoppable) unless(step func() error) error {
	if err := s.ctx.Err(); err != nil {
		return fault.Wrap(err, fault.Timeout, "the kernel's iSCSI target did not finish in time")
	}
	return step()
}
