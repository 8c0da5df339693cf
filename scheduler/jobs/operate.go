package jobs

import (
	"context"
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
// goes on; errSilent when the node has not answered for longer than patience;
// else why the node did not do it.
func (r *run) operate(ctx context.Context, patience time.Duration, ask func(context.Context) (*rpc.Operation, error)) error {
	wait := r.FirstWait
	if r.again || r.cancel {
		wait = shortly
	}
	// The deadline is for the node's answer; a dead node is found out by it too.
	call, cancel := context.WithTimeout(ctx, wait+time.Second)
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
	r.progress(o)
	switch o.State {
	case rpc.Done:
		return nil
	case rpc.Failed:
		return failure(o)
	}
	return errAgain
}

// progress notes how far an operation is. It costs no statement: a job that looks
// away writes its notes anyway.
func (r *run) progress(o *rpc.Operation) {
	if o.BytesTotal > 0 {
		r.notes.BytesDone, r.notes.BytesTotal = o.BytesDone, o.BytesTotal
	}
}

func failure(o *rpc.Operation) error {
	if o.Failure == nil {
		return fault.New(fault.Internal, "the storage node failed and gave no reason")
	}
	return o.Failure
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
