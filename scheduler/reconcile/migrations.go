package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
)

func init() {
	chores = append(chores, chore{"lost migration jobs", 5 * time.Second, (*Reconciler).lostMigrations})
}

// lostMigrations gives a job to every migration that has none.
func (r *Reconciler) lostMigrations(ctx context.Context) error {
	return mend(ctx, r, (*db.Tx).MigrateAgain, func(l db.LostMigration) {
		slog.WarnContext(ctx, "a volume that is being moved had no job, and has one again", "volume", l.VolumeID)
	})(r.DB.LostMigrations(ctx, r.Quiet/2, most))
}
