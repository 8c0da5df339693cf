package nodetest

import (
	"context"
	"maps"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// admit checks a fence and keeps it; the caller holds the lock.
func (n *Node) admit(f rpc.Fence, pool string, ends bool) error {
	r, err := n.check(f, pool, ends)
	if err != nil {
		return err
	}
	ended := map[string]bool{}
	if f.Generation == r.generation {
		maps.Copy(ended, r.ended)
	}
	if ends {
		ended[pool] = true
	}
	n.fences[f.ResourceID] = fenceRecord{generation: f.Generation, ended: ended}
	return nil
}

// check says what admit would.
func (n *Node) check(f rpc.Fence, pool string, ends bool) (fenceRecord, error) {
	r := n.fences[f.ResourceID]
	switch {
	case f.Generation < 1 || f.OperationID == "" || len(f.OperationID) > 64:
		return r, fault.New(fault.Invalid, "not a fence: %+v", f)
	case pool != "" && n.pools[pool] == nil: // a backup's end names none
		return r, fault.New(fault.NotFound, "there is no pool %s", pool)
	case f.Generation < r.generation:
		return r, fault.New(fault.Stale, "generation %d came after generation %d", f.Generation, r.generation)
	case f.Generation == r.generation && !ends && r.ended[pool]:
		return r, fault.New(fault.Stale, "generation %d has been taken away", f.Generation)
	}
	return r, nil
}

// operate runs work under a fence, or joins or repeats the result of the
// operation of the same id, and waits as long as the caller does.
func (n *Node) operate(ctx context.Context, method string, f rpc.Fence, pool string, ends bool, work func() *fault.Fault) (*rpc.Operation, error) {
	if err := n.enter(ctx, method, f.ResourceID); err != nil {
		return nil, err
	}
	r, err := n.begin(f, pool, ends, work)
	if err != nil {
		return nil, err
	}
	wait := 15 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		wait = min(wait, left-min(500*time.Millisecond, left/10))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
	case <-ctx.Done():
		return nil, fault.Wrap(ctx.Err(), fault.Timeout, "the service did not answer in time")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return r.report(f.OperationID, n.progress), n.leave(method, f.ResourceID)
}

func (r *result) report(id string, done int64) *rpc.Operation {
	select {
	case <-r.done:
	default:
		return &rpc.Operation{ID: id, State: rpc.Running, BytesDone: done, BytesTotal: ProgressTotal * min(done, 1)}
	}
	if r.failure != nil {
		return &rpc.Operation{ID: id, State: rpc.Failed, Failure: r.failure}
	}
	return &rpc.Operation{ID: id, State: rpc.Done}
}

func (n *Node) begin(f rpc.Fence, pool string, ends bool, work func() *fault.Fault) (*result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, err := n.check(f, pool, ends); err != nil {
		return nil, err
	}
	if r := n.results[f.OperationID]; r != nil {
		return r, nil
	}
	if err := n.admit(f, pool, ends); err != nil {
		return nil, err
	}
	r := &result{done: make(chan struct{})}
	n.results[f.OperationID] = r
	if n.slow == 0 {
		r.failure = work()
		close(r.done)
		return r, nil
	}
	time.AfterFunc(n.slow, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if r.over() {
			return
		}
		if f.Generation < n.fences[f.ResourceID].generation {
			r.failure = fault.New(fault.Stale, "work of a newer generation has taken over")
		} else {
			r.failure = work()
		}
		close(r.done)
	})
	return r, nil
}

// over tells whether it has ended; the caller holds the lock.
func (r *result) over() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Cancel implements rpc.Volumed.
func (n *Node) Cancel(ctx context.Context, id string) (*rpc.Operation, error) {
	if err := n.enter(ctx, "cancel", id); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.results[id]
	if r == nil {
		return nil, fault.New(fault.NotFound, "this node does not know the operation")
	}
	if !r.over() {
		r.failure = fault.New(fault.Cancelled, "an administrator has cancelled it")
		close(r.done)
	}
	return r.report(id, n.progress), nil
}

// Operation implements rpc.Volumed.
func (n *Node) Operation(ctx context.Context, id string, wait time.Duration) (*rpc.Operation, error) {
	if err := n.enter(ctx, "operation", id); err != nil {
		return nil, err
	}
	n.mu.Lock()
	r := n.results[id]
	n.mu.Unlock()
	if r == nil {
		return nil, fault.New(fault.NotFound, "this node does not know the operation")
	}
	select {
	case <-r.done:
	case <-time.After(wait):
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return r.report(id, n.progress), nil
}
