package jobs

import (
	"context"
	"sync"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// byAdministrator is what history and messages say of work that was cancelled.
const byAdministrator = "cancelled by the administrator"

// askCancel is how long a node may take to end an operation in one run.
const askCancel = 5 * time.Second

// asked gives nodes, and remembers which it gave: an operation under way is at one
// of them.
type asked struct {
	Nodes
	mu  sync.Mutex
	all map[string]rpc.Volumed // by endpoint
}

// Node implements Nodes.
func (a *asked) Node(endpoint string) rpc.Volumed {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[string]rpc.Volumed{}
	}
	node := a.Nodes.Node(endpoint)
	a.all[endpoint] = node
	return node
}

// cancelOperation has the node that is at an operation end it, and gives it as it
// is then: it may have ended well just before.
func (r *run) cancelOperation(ctx context.Context, o *rpc.Operation) (*rpc.Operation, error) {
	r.Nodes.mu.Lock()
	defer r.Nodes.mu.Unlock()
	for _, node := range r.Nodes.all {
		ended, err := r.cancelAt(ctx, node, o.ID)
		if !fault.Is(err, fault.NotFound) {
			return ended, err
		}
	}
	return o, nil
}

func (r *run) cancelAt(ctx context.Context, node rpc.Volumed, id string) (*rpc.Operation, error) {
	ask, cancel := context.WithTimeout(ctx, askCancel)
	defer cancel()
	o, err := node.Cancel(ask, id)
	if err == nil && o.Failure != nil && fault.Is(o.Failure, fault.Cancelled) {
		r.notes.Cancelled = true
	}
	return o, err
}

// cancelKnown ends an operation that may never have begun, without beginning it:
// nil when it had ended well before; errAgain while it goes on; else Cancelled, or
// why it failed.
func (r *run) cancelKnown(ctx context.Context, node rpc.Volumed, f rpc.Fence) error {
	err := r.operate(ctx, r.PlacePatience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.cancelAt(ctx, node, f.OperationID)
	})
	if fault.Is(err, fault.NotFound) {
		r.notes.Cancelled = true
		return fault.New(fault.Cancelled, "%s", byAdministrator)
	}
	return err
}
