package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler/jobs"
)

func init() {
	chores = append(chores,
		chore{"lost jobs", 5 * time.Second, (*Reconciler).lostJobs},
		chore{"interrupted deletions", 10 * time.Second, (*Reconciler).interruptedDeletes},
		chore{"interrupted extensions", 10 * time.Second, (*Reconciler).interruptedExtends})
}

// lostJobs gives a job to every volume in a moving status that has none.
func (r *Reconciler) lostJobs(ctx context.Context) error {
	lost, err := r.DB.LostJobs(ctx, r.Quiet/2, most)
	if err != nil {
		return err
	}
	for _, l := range lost {
		err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.JobAgain(ctx, l) })
		if gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		slog.WarnContext(ctx, "a volume had no job, and has one again", "volume", l.Volume.ID, "status", l.Volume.Status)
	}
	return nil
}

// interruptedDeletes goes on with deletions that a silent node ended.
func (r *Reconciler) interruptedDeletes(ctx context.Context) error {
	interrupted, err := r.DB.InterruptedDeletes(ctx, jobs.ReasonSilent, most)
	if err != nil {
		return err
	}
	for _, v := range interrupted {
		err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.ResumeDelete(ctx, v) })
		if err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// interruptedExtends is the same for extensions.
func (r *Reconciler) interruptedExtends(ctx context.Context) error {
	return mend(ctx, r, (*db.Tx).ResumeExtend, nil)(r.DB.InterruptedExtends(ctx, jobs.ReasonExtendSilent, most))
}

// gone: a request was faster, and there is nothing left to mend here.
func gone(err error) bool { return fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) }
