package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/scheduler/jobs"
)

func init() {
	chores = append(chores, chore{"jobs put off too far", 10 * time.Second, (*Reconciler).putOffJobs})
}

// putOffJobs wakes what a wrong clock has put off.
func (r *Reconciler) putOffJobs(ctx context.Context) error {
	hastened, err := r.DB.HastenJobs(ctx, jobs.LongestPause)
	if hastened > 0 {
		slog.WarnContext(ctx, "jobs were put off by a scheduler whose clock was ahead of the database's, and start now", "jobs", hastened)
	}
	return err
}
