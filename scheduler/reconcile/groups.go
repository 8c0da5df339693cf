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
		chore{"lost group jobs", 5 * time.Second, (*Reconciler).lostGroups},
		chore{"interrupted group deletions", 10 * time.Second, (*Reconciler).interruptedGroups})
}

// lostGroups gives a job to every group and group snapshot in a moving status
// that has none.
func (r *Reconciler) lostGroups(ctx context.Context) error {
	if err := mend(ctx, r, (*db.Tx).GroupAgain, func(l db.LostGroup) {
		slog.WarnContext(ctx, "a group had no job, and has one again", "group", l.Group.ID, "status", l.Group.Status)
	})(r.DB.LostGroups(ctx, r.Quiet/2, most)); err != nil {
		return err
	}
	return mend(ctx, r, (*db.Tx).GroupSnapshotAgain, func(s db.GroupSnapshot) {
		slog.WarnContext(ctx, "a group snapshot had no job, and has one again", "group_snapshot", s.ID, "status", s.Status)
	})(r.DB.LostGroupSnapshots(ctx, r.Quiet/2, most))
}

// interruptedGroups goes on with deletions that a silent node ended, when those
// of the members go on.
func (r *Reconciler) interruptedGroups(ctx context.Context) error {
	if err := mend(ctx, r, (*db.Tx).ResumeGroupDelete, nil)(r.DB.InterruptedGroupDeletes(ctx, jobs.ReasonSilent, most)); err != nil {
		return err
	}
	return mend(ctx, r, (*db.Tx).ResumeGroupSnapshotDelete, nil)(r.DB.InterruptedGroupSnapshotDeletes(ctx, jobs.ReasonSilent, most))
}
