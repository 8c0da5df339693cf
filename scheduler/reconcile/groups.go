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
	groups, err := r.DB.LostGroups(ctx, r.Quiet/2, most)
	if err != nil {
		return err
	}
	for _, l := range groups {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.GroupAgain(ctx, l) }); err != nil {
			return err
		}
		slog.WarnContext(ctx, "a group had no job, and has one again", "group", l.Group.ID, "status", l.Group.Status)
	}
	snapshots, err := r.DB.LostGroupSnapshots(ctx, r.Quiet/2, most)
	if err != nil {
		return err
	}
	for _, s := range snapshots {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.GroupSnapshotAgain(ctx, s) }); err != nil {
			return err
		}
		slog.WarnContext(ctx, "a group snapshot had no job, and has one again", "group_snapshot", s.ID, "status", s.Status)
	}
	return nil
}

// interruptedGroups goes on with deletions that a silent node ended, when those
// of the members go on.
func (r *Reconciler) interruptedGroups(ctx context.Context) error {
	groups, err := r.DB.InterruptedGroupDeletes(ctx, jobs.ReasonSilent, most)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.ResumeGroupDelete(ctx, g) }); err != nil {
			return err
		}
	}
	snapshots, err := r.DB.InterruptedGroupSnapshotDeletes(ctx, jobs.ReasonSilent, most)
	if err != nil {
		return err
	}
	for _, s := range snapshots {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.ResumeGroupSnapshotDelete(ctx, s) }); err != nil {
			return err
		}
	}
	return nil
}
