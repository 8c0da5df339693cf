package jobs

import (
	"context"
	"errors"
	"log/slog"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() {
	register((*Runner).snapshotDelete, Control{CannotCancel: goesOn, Again: snapshotDeleteAgain})
}

// snapshotDeleteAgain goes on with a snapshot's deletion.
func snapshotDeleteAgain(ctx context.Context, tx *db.Tx, job db.Job) error {
	if _, err := tx.MoveSnapshot(ctx, job.ResourceID, db.SnapshotDeleteResume, db.ByAdministratorAgain, nil); err != nil {
		return err
	}
	return tx.EnqueueAgain(ctx, job)
}

// snapshotDelete takes a snapshot from its node and then from the lists, when
// the copies that are being made of it are done. What holds it is given some
// seconds; then it is available again. A node that does not answer leaves it in
// error_deleting.
func (r *Runner) snapshotDelete(ctx context.Context, job *river.Job[db.SnapshotDeleteArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Snapshot, job.Args.SnapshotID, snapshotIs(db.SnapshotDeleting), (*run).deleteSnapshot))
}

func (r *run) deleteSnapshot(ctx context.Context, s db.Snapshot) error {
	copied, err := r.DB.SnapshotCopied(ctx, s.ID)
	if err == nil && copied {
		err = errAgain
	}
	if err != nil {
		return err
	}
	if s.PoolID == nil {
		return r.finishSnapshotDelete(ctx, s)
	}
	where, err := r.whereIs(ctx, *s.PoolID)
	if err != nil {
		return err
	}
	err = r.takeSnapshotAway(ctx, s, where)
	switch {
	case err == nil:
		return r.finishSnapshotDelete(ctx, s)
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleAt(s.Generation):
		return err // the row is read again
	case fault.Is(err, fault.Busy) && r.mayTryAgain():
		return r.waitSnapshot(ctx, s, db.SnapshotDeleteWait, err)
	}
	slog.WarnContext(ctx, "node did not delete", "snapshot", s.ID, "pool", where.name, "error", err)
	return r.restSnapshotDelete(ctx, s, err)
}

// takeSnapshotAway is takeAway for a snapshot.
func (r *run) takeSnapshotAway(ctx context.Context, s db.Snapshot, where place) error {
	reference, foreign, err := r.formerName(ctx, s.ID)
	if err != nil {
		return err
	}
	if foreign {
		return r.letGo(ctx, snapshotFence("destroy", s), where, rpc.KindSnapshot, reference)
	}
	return r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).DestroySnapshot(ctx, snapshotFence("destroy", s), where.pool)
	})
}

func (r *run) finishSnapshotDelete(ctx context.Context, s db.Snapshot) error {
	return unlessGone(r.finish(ctx, func(tx *db.Tx) error { return tx.FinishSnapshotDelete(ctx, s) }))
}

// restSnapshotDelete ends a deletion that did not succeed, and tells the user.
func (r *run) restSnapshotDelete(ctx context.Context, s db.Snapshot, why error) error {
	if fault.Is(why, silent) && s.PoolID != nil && r.lost(ctx, *s.PoolID) {
		return r.finishSnapshotDelete(ctx, s)
	}
	move, detail, reason := db.SnapshotDeleteFailed, db.DetailSnapshotDelete, sentence(why)
	if fault.Is(why, silent) {
		reason = ReasonSilent
	}
	if fault.Is(why, fault.Busy) {
		move, detail = db.SnapshotDeleteBusy, db.DetailSnapshotBusy
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.MoveSnapshotAt(ctx, s, move, reason, nil); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewSnapshotMessage(s, db.ActionDeleteSnapshot, detail,
			"The snapshot was not deleted: "+reason+".", r.request))
	})
}

// snapshotsFirst waits until the snapshots of a volume that is being deleted are
// gone. stays: one of them is not going, and so the volume does not either.
func (r *run) snapshotsFirst(ctx context.Context, v db.Volume) (stays bool, err error) {
	left, err := r.DB.SnapshotsLeft(ctx, v.ID, ReasonSilent)
	switch {
	case err != nil || left.All == 0:
		return false, err
	case left.All == left.Deleting:
		return false, errAgain
	case left.All == left.Deleting+left.Interrupted:
		return true, r.restDelete(ctx, v, db.DeleteFailed, ReasonSilent)
	}
	return true, r.restDelete(ctx, v, db.DeleteFailed, "a snapshot of it could not be deleted")
}
