package jobs

import (
	"context"

	"github.com/riverqueue/river"

	"clinker/db"
)

func init() { register((*Runner).groupDelete, Control{CannotCancel: goesOn, CannotRetry: askAgain}) }

// groupDelete ends a group when its volumes, each of which has a job of its own,
// are gone. One that stays leaves the group in error_deleting.
func (r *Runner) groupDelete(ctx context.Context, job *river.Job[db.GroupDeleteArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Group, job.Args.GroupID, groupIs(db.GroupDeleting), (*run).endGroupDelete))
}

func (r *run) endGroupDelete(ctx context.Context, g db.Group) error {
	left, err := r.DB.GroupMembers(ctx, g.ID, ReasonSilent)
	if err != nil {
		return err
	}
	reason := "a volume of it was not deleted"
	switch {
	case left.All == 0:
		return unlessGone(r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishGroupDelete(ctx, g) }))
	case left.Deleting > 0:
		return errAgain
	case left.Interrupted == left.All:
		reason = ReasonSilent
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.MoveGroupAt(ctx, g, db.GroupDeleteFailed, reason, nil); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewGroupMessage(g, db.ActionDeleteGroup, db.DetailUnknownError,
			"The group was not deleted: "+reason+".", r.request))
	})
}
