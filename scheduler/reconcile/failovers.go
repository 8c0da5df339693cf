package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
)

func init() {
	chores = append(chores, chore{"lost failover jobs", 5 * time.Second, (*Reconciler).lostFailovers})
}

// lostFailovers gives a job to every backend that is on its way to being lost, or
// back, and has none.
func (r *Reconciler) lostFailovers(ctx context.Context) error {
	return mend(ctx, r, (*db.Tx).FailoverAgain, func(f db.ServiceFailoverArgs) {
		slog.WarnContext(ctx, "a backend that fails over or back had no job, and has one again", "service", f.ServiceID, "back", f.Back)
	})(r.DB.LostFailovers(ctx, most))
}
