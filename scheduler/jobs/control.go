package jobs

import (
	"context"

	"clinker/db"
	"clinker/internal/fault"
)

// Control is what an administrator can do with jobs of one kind.
type Control struct {
	// CannotCancel says why such a job cannot be cancelled; "" when it can: what its
	// node is at then fails with fault.Cancelled, and the job ends as it does after
	// other failures.
	CannotCancel string
	// Again begins the work of such a job anew after it has failed, in a transaction.
	// nil, and CannotRetry says why, when that cannot be.
	Again       func(ctx context.Context, tx *db.Tx, job db.Job) error
	CannotRetry string
}

const (
	tooShort = "it is over in a moment"
	halfWay  = "what it writes over would be left half the one and half the other"
	askAgain = "ask for it again through the API, which knows whether it still may be"
	goesOn   = "what is deleted cannot be had back"
	noMoment = "a snapshot taken now would not be of the moment that was asked for"
)

// ControlOf tells what can be done with jobs of a kind.
func ControlOf(kind string) Control {
	if k, known := kinds[kind]; known {
		return k.Control
	}
	return Control{CannotCancel: "this program does not know jobs of its kind", CannotRetry: "this program does not know jobs of its kind"}
}

// Cancel asks for the end of a job. Invalid, with the reason, when a job of its
// kind cannot be cancelled; Conflict when it has ended; NotFound. May be repeated.
func Cancel(ctx context.Context, d *db.DB, id int64) error {
	job, err := d.Job(ctx, id)
	if err != nil {
		return err
	}
	if why := ControlOf(job.Kind).CannotCancel; why != "" && !job.Ended() {
		return fault.New(fault.Invalid, "The job %d (%s) cannot be cancelled: %s.", id, job.Kind, why)
	}
	return d.CancelJob(ctx, id)
}

// Retry begins a job anew that has failed or was cancelled. Invalid, with the
// reason, when that cannot be; Conflict when what it is about is not as the job
// has left it; NotFound.
func Retry(ctx context.Context, d *db.DB, id int64) error {
	job, err := d.Job(ctx, id)
	if err != nil {
		return err
	}
	control := ControlOf(job.Kind)
	switch {
	case job.State != db.JobFailed && job.State != db.JobCancelled:
		return fault.New(fault.Invalid, "The job %d has not failed: it is %s.", id, job.State)
	case control.Again == nil:
		return fault.New(fault.Invalid, "The job %d (%s) cannot be begun anew: %s.", id, job.Kind, control.CannotRetry)
	}
	return d.Tx(ctx, func(tx *db.Tx) error { return control.Again(ctx, tx, job) })
}

// retryVolume moves the volume back to where its job begins.
func retryVolume(m db.Move) func(context.Context, *db.Tx, db.Job) error {
	return func(ctx context.Context, tx *db.Tx, job db.Job) error {
		if err := tx.BeginAgain(ctx, job.ResourceID, m); err != nil {
			return err
		}
		return tx.EnqueueAgain(ctx, job)
	}
}
