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

func init() { register((*Runner).volumeRevert, Control{CannotCancel: halfWay, CannotRetry: askAgain}) }

// ReasonRevertSilent is what the history says of a revert that ended in error
// because the node did not answer. The reconciler takes it up again when the
// node is back.
const ReasonRevertSilent = "the storage node does not answer; the revert goes on when it does"

// volumeRevert makes a volume as its newest snapshot is. While that is not
// done, the volume may be partly the one and partly the other: whatever ends the
// work before leaves it in error, and it can be begun again.
func (r *Runner) volumeRevert(ctx context.Context, job *river.Job[db.VolumeRevertArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Volume, job.Args.VolumeID, volumeIs("reverting"), (*run).revert))
}

func (r *run) revert(ctx context.Context, v db.Volume) error {
	s, err := r.DB.RestoringSnapshot(ctx, v.ID)
	if fault.Is(err, fault.NotFound) || err == nil && v.PoolID == nil {
		return r.failRevert(ctx, v, "its snapshot is not being restored any more")
	}
	if err != nil {
		return err
	}
	where, err := r.whereIs(ctx, *v.PoolID)
	if err != nil {
		return err
	}
	err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).Revert(ctx, fence("revert", v), where.pool, s.ID, int64(v.SizeGiB)<<30)
	})
	switch {
	case err == nil:
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.EndRevert(ctx, v, db.RevertDone, "") })
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err // the row is read again
	case fault.Is(err, fault.Busy) && r.mayTryAgain():
		return r.waitRevert(ctx, v, err)
	}
	slog.WarnContext(ctx, "node did not revert", "volume", v.ID, "snapshot", s.ID, "pool", where.name, "error", err)
	if fault.Is(err, silent) {
		return r.failRevert(ctx, v, ReasonRevertSilent)
	}
	return r.failRevert(ctx, v, sentence(err))
}

func (r *run) waitRevert(ctx context.Context, v db.Volume, reason error) error {
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.MoveVolumeAt(ctx, v, db.RevertWait, sentence(reason), nil)
		return err
	})
	if err != nil {
		return err
	}
	return r.later()
}

func (r *run) failRevert(ctx context.Context, v db.Volume, reason string) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.EndRevert(ctx, v, db.RevertFailed, reason); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionRevertVolume, db.DetailUnknownError,
			"The volume was not reverted, or only in part: "+reason+".", r.request))
	})
}
