package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/telemetry"
	"clinker/volumed/rpc"
)

// run is one execution of a job.
type run struct {
	*Runner
	Nodes   *asked    // Runner's, and which of them this run has asked for
	request string    // of the user's request
	since   time.Time // when the job was made, or this process started, if that was later
	again   bool      // the job has looked away before
	first   bool      // nobody has worked on the job before
	notes   notes
	kept    notes         // as they were at the beginning
	pause   time.Duration // until the next run, if not the usual one
	stale   int64         // the generation that a node called stale last
	cancel  bool          // an administrator wants it ended
	stays   bool          // for the end of what is under way
}

// notes are what a job tells its next run. They may be lost, with the worker
// that made them: then time is counted anew, and pools are tried once more.
type notes struct {
	Tried       []attempt  `json:"tried,omitempty"`
	SilentSince *time.Time `json:"silent_since,omitempty"`
	BusyTries   int        `json:"busy_tries,omitempty"`

	// The hidden volume that a new one waits for, to be a copy of, and whether it
	// has done with waiting: then it fetches its image itself.
	Cached  string `json:"cached,omitempty"`
	Uncache bool   `json:"uncache,omitempty"`

	// How far the node is with what it copies, and how the job ended: for people
	// (clinker job), and nothing is decided by it.
	BytesDone  int64  `json:"bytes_done,omitempty"`
	BytesTotal int64  `json:"bytes_total,omitempty"`
	PerSecond  int64  `json:"bytes_per_second,omitempty"` // since the look before; 0 of the first
	LookedAt   int64  `json:"looked_at,omitempty"`        // in Unix milliseconds
	Failure    string `json:"failure,omitempty"`
	Cancelled  bool   `json:"cancelled,omitempty"`
}

// attempt is a pool that did not serve.
type attempt struct {
	Pool   string `json:"pool"`
	Reason string `json:"reason"` // names no node
}

const notesKey = db.JobNotes

// errAgain ends a run whose work goes on.
var errAgain = errors.New("the work goes on")

// work runs one kind of job: do until it is done, has to be looked at again, or
// the row was changed under it.
func (r *Runner) work(ctx context.Context, job *rivertype.JobRow, request string, do func(context.Context, *run) error) error {
	ctx = rpc.WithRequestID(telemetry.WithRequest(ctx, request), request)
	run := &run{Runner: r, Nodes: &asked{Nodes: r.Nodes}, request: request, since: job.CreatedAt}
	if r.started.After(job.CreatedAt) {
		run.since = r.started
	}
	run.read(job)
	err := do(ctx, run)
	for rereads := 0; overtaken(err) && ctx.Err() == nil && rereads < 3; rereads++ {
		run.notes.Failure = "" // it was not written
		err = do(ctx, run)
	}
	if err != nil {
		run.notes.Failure = ""
	}
	run.keep(ctx)
	return run.end(ctx, job, err)
}

// overtaken: somebody else moved the row. What there is to do, if anything,
// follows from the row as it is now.
func overtaken(err error) bool { return fault.Is(err, fault.Conflict) || fault.Is(err, fault.Stale) }

// end gives River its answer. A worker that is stopped leaves its job to the
// next one at once.
func (r *run) end(ctx context.Context, job *rivertype.JobRow, err error) error {
	switch {
	case err == nil && r.notes.Failure != "":
		return river.JobCancel(errors.New(r.notes.Failure)) // River's way to keep a reason
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return river.JobSnooze(0)
	case errors.Is(err, errAgain), overtaken(err), ctx.Err() != nil:
		return river.JobSnooze(max(r.Pause, r.pause))
	}
	slog.WarnContext(ctx, "job failed, and will run again", "job", job.Kind, "args", string(job.EncodedArgs), "error", err)
	return err
}

// finish writes the end of a job's work.
func (r *run) finish(ctx context.Context, write func(tx *db.Tx) error) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		tx.Lazily()
		return write(tx)
	})
}

func (r *run) read(job *rivertype.JobRow) {
	var m struct {
		Notes   notes          `json:"clinker"`
		Cancel  *db.JobRequest `json:"clinker_cancel"`
		Snoozes int            `json:"snoozes"`
	}
	_ = json.Unmarshal(job.Metadata, &m) // notes that cannot be read are notes lost
	r.notes, r.again = m.Notes, m.Snoozes > 0
	r.first = job.Attempt <= 1 && m.Snoozes == 0 // a worker that is killed leaves its attempt counted
	r.cancel = m.Cancel != nil && ControlOf(job.Kind).CannotCancel == ""
	r.kept = r.notes
}

func (r *run) keep(ctx context.Context) {
	if r.notes.same(r.kept) {
		return
	}
	if err := river.MetadataSet(ctx, notesKey, r.notes); err != nil {
		slog.ErrorContext(ctx, "a job's notes were lost", "error", err)
	}
}

func (n notes) same(o notes) bool {
	return len(n.Tried) == len(o.Tried) &&
		n.BusyTries == o.BusyTries && (n.SilentSince == nil) == (o.SilentSince == nil) &&
		n.Cached == o.Cached && n.Uncache == o.Uncache &&
		n.BytesDone == o.BytesDone && n.BytesTotal == o.BytesTotal && n.Failure == o.Failure && n.Cancelled == o.Cancelled
}
