package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
)

func init() {
	chores = append(chores, chore{"lost retype jobs", 5 * time.Second, (*Reconciler).lostRetypes})
}

// lostRetypes gives a job to every volume in status retyping that has none.
func (r *Reconciler) lostRetypes(ctx context.Context) error {
	return mend(ctx, r, (*db.Tx).RetypeAgain, func(v db.Volume) {
		slog.WarnContext(ctx, "a volume that is being retyped had no job, and has one again", "volume", v.ID)
	})(r.DB.LostRetypes(ctx, r.Quiet/2, most))
}
