package volumed

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
)

// maxWait is how long a call waits for an operation, and answerTime what it
// leaves of the caller's deadline for the answer to arrive in.
const (
	maxWait    = 15 * time.Second
	answerTime = 500 * time.Millisecond
)

// task is what an operation is to do.
type task struct {
	kind  string // the call's name in the IDL
	fence journal.Fence
	locks []want
	limit time.Duration
	total int64 // bytes to be copied, 0 when nothing is
	do    func(ctx context.Context, o *operation) error
}

// operation is a task that was begun.
type operation struct {
	task
	cancel    context.CancelCauseFunc
	bytesDone atomic.Int64
	objects   atomic.Int64 // of a backup, at its end

	done    chan struct{} // closed at the end; what follows is for then
	err     error
	refused bool // by the fence: the task did nothing
}

// wait waits for the end as long as the caller, maxWait and the node allow.
func (o *operation) wait(ctx context.Context, longest time.Duration, open context.Context) {
	longest = min(longest, maxWait)
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		longest = min(longest, left-min(answerTime, left/10))
	}
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case <-o.done:
	case <-timer.C:
	case <-ctx.Done():
	case <-open.Done():
	}
}

// report tells how far the operation is. The error is why it did not take
// place: its fence was refused, or the node was stopped before its end.
func (o *operation) report() (*rpc.Operation, error) {
	r := &rpc.Operation{ID: o.fence.Operation, State: rpc.Running, BytesDone: o.bytesDone.Load(), BytesTotal: o.total}
	select {
	case <-o.done:
	default:
		return r, nil
	}
	if !o.counts() {
		return nil, o.err
	}
	return reportOf(o.result()), nil
}

// counts tells whether the way it ended is one to remember. Work that a stop
// cut short is repeated under the same id after the start.
func (o *operation) counts() bool { return !o.refused && !errors.Is(o.err, errStopping) }

// result is what the journal keeps of an operation that has ended.
func (o *operation) result() journal.Result {
	r := journal.Result{
		ID:         o.fence.Operation,
		Resource:   o.fence.Resource,
		Kind:       o.kind,
		BytesDone:  o.bytesDone.Load(),
		BytesTotal: o.total,
	}
	if o.err == nil {
		r.BytesDone, r.Objects = r.BytesTotal, o.objects.Load()
		return r
	}
	r.Code, r.Message = fault.CodeOf(o.err), fault.MessageOf(o.err)
	if r.Message == "" {
		r.Message = "the storage node failed; its log says why"
	}
	return r
}

// reportOf makes of a result what the caller is told.
func reportOf(r journal.Result) *rpc.Operation {
	o := &rpc.Operation{ID: r.ID, State: rpc.Done, BytesDone: r.BytesDone, BytesTotal: r.BytesTotal, Objects: int(r.Objects)}
	if r.Code != "" {
		o.State = rpc.Failed
		o.Failure = fault.New(r.Code, "%s", r.Message)
	}
	return o
}
