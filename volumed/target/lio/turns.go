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
	busy map[string]chan struct{} // by IQN; closed when the call has ended
}

// take runs work for an IQN when no other call does. When ctx ends first it
// returns at once: InProgress if work did not begin, Timeout if it did. Work is
// told by its context, and stops at its next step.
func (t *turns) take(ctx context.Context, iqn string, work func(context.Context) error) error {
	mine, err := t.wait(ctx, iqn)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		err := work(ctx)
		t.mu.Lock()
		delete(t.busy, iqn)
		t.mu.Unlock()
		close(mine)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Timeout, "the kernel's iSCSI target did not finish in time")
	}
}

// wait waits for the IQN's turn and takes it.
func (t *turns) wait(ctx context.Context, iqn string) (chan struct{}, error) {
	for {
		t.mu.Lock()
		if t.busy == nil {
			t.busy = map[string]chan struct{}{}
		}
		other := t.busy[iqn]
		if other == nil {
			mine := make(chan struct{})
			t.busy[iqn] = mine
			t.mu.Unlock()
			return mine, nil
		}
		t.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, fault.Wrap(ctx.Err(), fault.InProgress, "an earlier change of this export is still under way")
		}
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
