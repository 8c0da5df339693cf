package volumed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
)

// Why work was ended before its time; errors.Is finds them in a context's cause.
var (
	errSuperseded = fault.New(fault.Stale, "work of a newer generation has taken over")
	errCancelled  = fault.New(fault.Cancelled, "an administrator has cancelled it")
	errStopping   = fault.New(fault.Unavailable, "the node is stopping")
)

// operations is the work under way. Work belongs to the node: it outlives the
// call that asked for it.
type operations struct {
	journal *journal.Journal
	locks   *locks
	budget  func(pool string) *pace.Budget

	base  context.Context // ends when work must stop at once
	abort context.CancelCauseFunc
	open  context.Context // ends when no more work is taken and nobody waits
	close context.CancelFunc

	// accepted is told of every fence before its work begins.
	accepted func(journal.Fence)

	mu      sync.Mutex
	running map[string]*operation // by operation id
	all     sync.WaitGroup
}

func newOperations(j *journal.Journal, l *locks, budget func(pool string) *pace.Budget) *operations {
	w := &operations{journal: j, locks: l, budget: budget, running: map[string]*operation{}, accepted: func(journal.Fence) {}}
	w.base, w.abort = context.WithCancelCause(context.Background())
	w.open, w.close = context.WithCancel(w.base)
	return w
}

// run begins a task, or joins it if it was begun under the same id, and waits
// for its end as long as the caller can.
func (w *operations) run(ctx context.Context, t task) (*rpc.Operation, error) {
	if err := w.journal.Check(t.fence); err != nil {
		return nil, err
	}
	o, ended, err := w.begin(ctx, t)
	if err != nil || ended != nil {
		return ended, err
	}
	o.wait(ctx, maxWait, w.open)
	return o.report()
}

// find tells how far an operation is, after waiting for its end.
func (w *operations) find(ctx context.Context, id string, longest time.Duration) (*rpc.Operation, error) {
	w.mu.Lock()
	o := w.running[id]
	w.mu.Unlock()
	if o != nil {
		o.wait(ctx, longest, w.open)
		return o.report()
	}
	if r, ok := w.journal.Result(id); ok {
		return reportOf(r), nil
	}
	return nil, fault.New(fault.NotFound, "this node does not know the operation")
}

// end ends an operation before its time, if it has not ended, and tells how it
// did.
func (w *operations) end(ctx context.Context, id string) (*rpc.Operation, error) {
	w.mu.Lock()
	if o := w.running[id]; o != nil {
		o.cancel(errCancelled)
	}
	w.mu.Unlock()
	return w.find(ctx, id, maxWait)
}

// worksOn tells whether an operation about a resource is under way or in line.
func (w *operations) worksOn(resource string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range w.running {
		if o.fence.Resource == resource {
			return true
		}
	}
	return false
}

// begin gives the operation of a task, or how it ended.
func (w *operations) begin(ctx context.Context, t task) (*operation, *rpc.Operation, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if o := w.running[t.fence.Operation]; o != nil {
		return o, nil, same(t, o.kind, o.fence.Resource)
	}
	if r, ok := w.journal.Result(t.fence.Operation); ok {
		return nil, reportOf(r), same(t, r.Kind, r.Resource)
	}
	if w.open.Err() != nil {
		return nil, nil, errStopping
	}
	for _, o := range w.running {
		if o.fence.Resource == t.fence.Resource && o.fence.Generation < t.fence.Generation {
			o.cancel(errSuperseded)
		}
	}
	o := &operation{task: t, done: make(chan struct{})}
	var work context.Context
	work, o.cancel = context.WithCancelCause(rpc.WithRequestID(w.base, rpc.RequestID(ctx)))
	w.running[t.fence.Operation] = o
	w.all.Go(func() { w.carryOut(work, o) })
	return o, nil, nil
}

// same refuses an operation id that was used for something else.
func same(t task, kind, resource string) error {
	if t.kind != kind || t.fence.Resource != resource {
		return fault.New(fault.Invalid, "the operation_id belongs to another call")
	}
	return nil
}

// carryOut does an operation's task and lets all know how it ended.
func (w *operations) carryOut(ctx context.Context, o *operation) {
	defer o.cancel(nil)
	begun := time.Now()
	o.err = cause(ctx, w.do(ctx, o))
	level := slog.LevelInfo
	if fault.Is(o.err, fault.Internal) {
		level = slog.LevelError
	}
	slog.Log(ctx, level, "operation ended", "operation", o.fence.Operation, "kind", o.kind,
		"resource", o.fence.Resource, "generation", o.fence.Generation, "pool", o.fence.Pool,
		"took", time.Since(begun), "error", o.err, "request_id", rpc.RequestID(ctx))
	if o.counts() {
		w.journal.Finish(o.result())
	}
	w.mu.Lock()
	delete(w.running, o.fence.Operation)
	w.mu.Unlock()
	close(o.done)
}

func (w *operations) do(ctx context.Context, o *operation) error {
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	release, err := w.locks.acquire(ctx, o.locks...)
	if err != nil {
		return err
	}
	defer release()
	// In line and not before: what stood in front of this may have been newer.
	if err := w.journal.Accept(o.fence); err != nil {
		o.refused = true
		return err
	}
	ctx = pace.With(ctx, w.budget(o.fence.Pool).Copy())
	w.accepted(o.fence)
	return guard(func() error { return o.task.do(ctx, o) })
}

// cause gives instead of what interrupted work said the reason why it was
// interrupted.
func cause(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if c := context.Cause(ctx); errors.Is(c, errSuperseded) || errors.Is(c, errCancelled) || errors.Is(c, errStopping) {
		return c
	}
	if fault.Is(err, fault.Internal) && errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Timeout, "the work took too long and was cut short; it can be repeated")
	}
	return err
}

// refuse takes no more work and lets calls that wait answer at once.
func (w *operations) refuse() {
	w.mu.Lock()
	defer w.mu.Unlock() // whoever adds to all holds it and looks at open
	w.close()
}

// heed is how long work may take to notice that it is cut short.
const heed = 10 * time.Second

// stop takes no more work and waits for that under way; what is left after
// the limit is cut short. What does not heed that, because a disk or a store hangs, is
// left to end with the process, as when that is killed.
func (w *operations) stop(limit time.Duration) {
	w.refuse()
	late := time.AfterFunc(limit, func() { w.abort(errStopping) })
	defer late.Stop()
	if !endsWithin(limit+heed, w.all.Wait) {
		slog.Warn("the node ends, and does not wait for what a disk or a store that hangs keeps from ending", "operations", w.hanging())
	}
	w.abort(errStopping)
}

// endsWithin waits so long at most, and tells whether what is waited for has ended.
func endsWithin(limit time.Duration, wait func()) bool {
	ended := make(chan struct{})
	go func() { wait(); close(ended) }()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-ended:
		return true
	case <-late.C:
		return false
	}
}

// hanging names the operations under way.
func (w *operations) hanging() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.running))
}

// spawn runs work that nobody waits for, false when the node is stopping.
func (w *operations) spawn(do func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open.Err() != nil {
		return false
	}
	w.all.Go(do)
	return true
}

// detached runs a short piece of work to its end, also when the caller leaves, for
// exportLimit at most. The caller then gets Timeout.
func (w *operations) detached(ctx context.Context, do func(ctx context.Context) error) error {
	result := make(chan error, 1)
	work, cancel := context.WithTimeout(rpc.WithRequestID(w.base, rpc.RequestID(ctx)), exportLimit)
	started := w.spawn(func() {
		defer cancel()
		result <- guard(func() error { return cause(work, do(work)) })
	})
	if !started {
		cancel()
		return errStopping
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Timeout, "the node is still at it")
	}
}

// guard makes an error of a panic, so that one volume's trouble does not end
// the work on all others.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}
