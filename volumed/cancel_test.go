package volumed

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/volumed/rpc"
)

// TestCancel: each kind of copy ends, leaves nothing, and its id is used up.
func TestCancel(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	image, source := r.images(), r.volume()
	r.fill(source, 's')
	for name, begin := range map[string]func(context.Context, rpc.Fence) (*rpc.Operation, error){
		"clone": func(ctx context.Context, f rpc.Fence) (*rpc.Operation, error) {
			return r.CopyFrom(ctx, f, poolName, rpc.Source{Kind: rpc.KindVolume, ID: source}, size)
		},
		"image": func(ctx context.Context, f rpc.Fence) (*rpc.Operation, error) {
			return r.CopyImage(ctx, f, poolName, image.Image, size)
		},
	} {
		r.pools[poolName].CopyBudget = pace.New(1) // it does not end by itself
		f, ended := fence(uuid.NewString(), 1), make(chan *rpc.Operation, 1)
		go func() { o, _ := begin(ctx, f); ended <- o }()
		r.awaitOperation(f.OperationID)
		for range 2 {
			o, err := r.Cancel(ctx, f.OperationID)
			if err != nil || o.State != rpc.Failed || !fault.Is(o.Failure, fault.Cancelled) {
				t.Errorf("%s: %v, %v", name, o, err)
			}
		}
		if o := <-ended; o == nil || !fault.Is(o.Failure, fault.Cancelled) {
			t.Errorf("%s: its caller was told %v", name, o)
		}
		r.pools[poolName].CopyBudget = nil
		if o, err := begin(ctx, f); err != nil || !fault.Is(o.Failure, fault.Cancelled) {
			t.Errorf("%s: the same again: %v, %v", name, o, err)
		}
		if names := r.names(); len(names) != 1 {
			t.Errorf("%s left %v", name, names)
		}
		r.done(begin(ctx, fence(f.ResourceID, 2)))
		r.done(r.Destroy(ctx, fence(f.ResourceID, 3), poolName))
	}
}

// awaitOperation waits until the node is at it.
func (r *rig) awaitOperation(id string) {
	r.t.Helper()
	for {
		_, err := r.Operation(r.t.Context(), id, 0)
		if err == nil {
			return
		}
		if !fault.Is(err, fault.NotFound) {
			r.t.Fatal(err)
		}
	}
}

// TestCancelTooLate: what has ended, ended as it did; what never began is unknown.
func TestCancelTooLate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, err := r.Cancel(t.Context(), "nothing"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	f := fence(uuid.NewString(), 1)
	r.done(r.Create(t.Context(), f, poolName, size, false))
	r.done(r.Cancel(t.Context(), f.OperationID))
}

// TestCancelRaces: of a cancel and an end that meet, one is told to all, and the
// volume is there if and only if that was the end.
func TestCancelRaces(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	source := r.volume()
	r.fill(source, 's')
	outcomes := map[bool]int{}
	for round := range 60 {
		f := fence(uuid.NewString(), 1)
		var all sync.WaitGroup
		var copied, cancelled *rpc.Operation
		all.Go(func() { copied, _ = r.CopyFrom(ctx, f, poolName, rpc.Source{Kind: rpc.KindVolume, ID: source}, size) })
		all.Go(func() {
			for looks := 0; cancelled == nil; looks++ { // a little later each round
				if looks >= round*50 {
					cancelled, _ = r.Cancel(ctx, f.OperationID)
				} else {
					_, _ = r.Operation(ctx, f.OperationID, 0)
				}
			}
		})
		all.Wait()
		if copied == nil || copied.State != cancelled.State {
			t.Fatalf("one was told %v, the other %v", copied, cancelled)
		}
		there := len(r.names()) == 2
		if there != (copied.State == rpc.Done) {
			t.Fatalf("told %v, there: %v", copied, there)
		}
		outcomes[there]++
		r.done(r.Destroy(ctx, fence(f.ResourceID, 2), poolName))
	}
	t.Logf("finished first: %d times, cancelled first: %d times", outcomes[true], outcomes[false])
}
