package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// shortly is how long a job that comes back waits for its operation.
const shortly = 300 * time.Millisecond

// fence makes what is asked of a node safe to repeat: the id of the operation
// follows from what it is about.
func fence(operation string, v db.Volume) rpc.Fence {
	return rpc.Fence{
		OperationID: fmt.Sprintf("%s-%s-%d", operation, v.StorageID(), v.Generation),
		ResourceID:  v.StorageID(),
		Generation:  v.Generation,
	}
}

// operate asks a node to do something. nil when it is done; errAgain while it
// goes on; silent, a fault's code, when the node has not answered for longer than
// patience; else why the node did not do it. A copy that will end soon is stayed for.
func (r *run) operate(ctx context.Context, patience time.Duration, ask func(context.Context) (*rpc.Operation, error)) error {
	err := r.look(ctx, patience, ask)
	if errors.Is(err, errAgain) && r.notes.SilentSince == nil && !r.cancel && r.endsSoon() {
		r.stays = true
		err = r.look(ctx, patience, ask)
		r.stays = false
	}
	return err
}

// look is operate, once.
func (r *run) look(ctx context.Context, patience time.Duration, ask func(context.Context) (*rpc.Operation, error)) error {
	// The deadline is for the node's answer; a dead node is found out by it too.
	begun := time.Now()
	call, cancel := context.WithTimeout(ctx, r.glances()+time.Second)
	defer cancel()
	o, err := ask(call)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // it says nothing about the node
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Timeout):
		return r.silence(err, patience)
	case err != nil:
		return err
	}
	r.notes.SilentSince = nil
	if r.cancel && o.State == rpc.Running {
		if o, err = r.cancelOperation(ctx, o); err != nil {
			return r.silence(err, patience)
		}
	}
	r.progress(o, begun)
	if o.State == rpc.Done || o.State == rpc.Failed {
		return o.Err()
	}
	return errAgain
}

// glances is how long a look waits for an operation's end.
func (r *run) glances() time.Duration {
	if r.cancel || r.again && !r.stays {
		return shortly
	}
	return r.FirstWait
}

// progress notes how far an operation is. It costs no statement: a job that looks
// away writes its notes anyway. begun is when this look was.
func (r *run) progress(o *rpc.Operation, begun time.Time) {
	if o.BytesTotal <= 0 {
		return
	}
	n, now := &r.notes, time.Now().UnixMilli()
	since, before := n.LookedAt, n.BytesDone
	if since == 0 || n.BytesTotal != o.BytesTotal {
		since, before = begun.UnixMilli(), 0
	}
	if took := now - since; took > 0 {
		n.PerSecond = max(0, (o.BytesDone-before)*1000/took)
	}
	n.BytesDone, n.BytesTotal, n.LookedAt = o.BytesDone, o.BytesTotal, now
}

// endsSoon tells whether a copy that goes on as it did ends within a first wait:
// who looked away would come back too late.
func (r *run) endsSoon() bool {
	n := r.notes
	return n.PerSecond > 0 && float64(n.BytesTotal-n.BytesDone) < float64(n.PerSecond)*r.FirstWait.Seconds()
}

// silent is the code of errors by which operate says that patience has ended.
const silent fault.Code = "silent"

// silence decides what follows when a node does not answer.
func (r *run) silence(err error, patience time.Duration) error {
	now := time.Now()
	if r.notes.SilentSince == nil {
		r.notes.SilentSince = &now
	}
	if now.Sub(*r.notes.SilentSince) < patience {
		return errAgain
	}
	r.notes.SilentSince = nil
	return fault.Wrap(err, silent, "the storage node does not answer")
}

// sentence is what a user may read of a node's failure.
func sentence(err error) string {
	if text := fault.MessageOf(err); text != "" {
		return text
	}
	return "the storage node failed"
}
