package jobs

import (
	"context"

	"github.com/riverqueue/river"

	"clinker/db"
)

func init() {
	register((*Runner).groupSnapshotDelete, Control{CannotCancel: goesOn, CannotRetry: askAgain})
}

// groupSnapshotDelete ends a group snapshot when its members, each of which has a
// job of its own, are gone. One that stays leaves it in error_deleting.
func (r *Runner) groupSnapshotDelete(ctx context.Context, job *river.Job[db.GroupSnapshotDeleteArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.GroupSnapshot, job.Args.GroupSnapshotID, groupSnapshotIs(db.GroupDeleting), (*run).endGroupSnapshotDelete))
}

func (r *run) endGroupSnapshotDelete(ctx context.Context, gs db.GroupSnapshot) error {
	left, err := r.DB.GroupSnapshotMembers(ctx, gs.ID, ReasonSilent)
	if err != nil {
		return err
	}
	reason := "a snapshot of it was not deleted"
	switch {
	case left.All == 0:
		return unlessGone(r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishGroupSnapshotDelete(ctx, gs) }))
	case left.Deleting > 0:
		return errAgain
	case left.Interrupted == left.All:
		reason = ReasonSilent
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.MoveGroupSnapshotAt(ctx, gs, db.GroupSnapshotDeleteFailed, reason, nil); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewGroupSnapshotMessage(gs, db.ActionDeleteSnapshot, db.DetailSnapshotDelete,
			"The group snapshot was not deleted: "+reason+".", r.request))
	})
}
