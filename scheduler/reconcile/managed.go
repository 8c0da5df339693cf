package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
	"clinker/scheduler/jobs"
)

func init() {
	chores = append(chores,
		chore{"lost managing", 5 * time.Second, (*Reconciler).lostManaged},
		chore{"interrupted managing", 10 * time.Second, (*Reconciler).interruptedManaged})
}

// lostManaged gives a job to every volume and snapshot that is being managed or
// let go and has none.
func (r *Reconciler) lostManaged(ctx context.Context) error {
	return mend(ctx, r, (*db.Tx).ManagedAgain, func(w db.ManagedWork) {
		slog.WarnContext(ctx, "what is being managed or let go had no job, and has one again", "id", w.ID, "status", w.Status)
	})(r.DB.LostManaged(ctx, r.Quiet/2, most))
}

// interruptedManaged goes on with what a silent node ended.
func (r *Reconciler) interruptedManaged(ctx context.Context) error {
	return mend(ctx, r, (*db.Tx).ResumeManaged, nil)(r.DB.InterruptedManaged(ctx, jobs.ReasonManageSilent, jobs.ReasonUnmanageSilent, most))
}
