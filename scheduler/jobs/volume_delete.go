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
	register((*Runner).volumeDelete, Control{CannotCancel: goesOn, Again: retryVolume(db.DeleteResume)})
}

// ReasonSilent is what the history says of a deletion that ended in
// error_deleting because the node did not answer. The reconciler takes such a
// volume up again when the node is back.
const ReasonSilent = "the storage node does not answer; the deletion goes on when it does"

// volumeDelete takes a volume from its node and then from the lists. A device
// that something holds open is tried again for some seconds; then the volume
// is as it was. A node that does not answer leaves it in error_deleting.
func (r *Runner) volumeDelete(ctx context.Context, job *river.Job[db.VolumeDeleteArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Volume, job.Args.VolumeID, volumeIs("deleting"), (*run).delete))
}

func (r *run) delete(ctx context.Context, v db.Volume) error {
	if stays, err := r.snapshotsFirst(ctx, v); stays || err != nil {
		return err
	}
	if v.PoolID == nil {
		return r.finishDelete(ctx, v)
	}
	where, err := r.whereIs(ctx, *v.PoolID)
	if err != nil {
		return err
	}
	err = r.takeAway(ctx, v, where)
	switch {
	case err == nil:
		return r.finishDelete(ctx, v)
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err // the row is read again
	case fault.Is(err, fault.Busy):
		return r.busy(ctx, v, err)
	}
	if fault.Is(err, silent) && r.lost(ctx, *v.PoolID) {
		return r.finishDelete(ctx, v)
	}
	slog.WarnContext(ctx, "node did not delete", "volume", v.ID, "pool", where.name, "error", err)
	reason := sentence(err)
	if fault.Is(err, silent) {
		reason = ReasonSilent
	}
	return r.restDelete(ctx, v, db.DeleteFailed, reason)
}

// takeAway has the node destroy a volume, or give back what was not ours yet:
// what was managed to its end, or made here, has been launched.
func (r *run) takeAway(ctx context.Context, v db.Volume, where place) error {
	if v.LaunchedAt == nil {
		reference, foreign, err := r.formerName(ctx, v.ID)
		if err != nil {
			return err
		}
		if foreign {
			return r.letGo(ctx, fence("destroy", v), where, rpc.KindVolume, reference)
		}
	}
	return r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).Destroy(ctx, fence("destroy", v), where.pool)
	})
}

func (r *run) finishDelete(ctx context.Context, v db.Volume) error {
	err := r.finish(ctx, func(tx *db.Tx) error { return tx.FinishDelete(ctx, v) })
	if fault.Is(err, fault.NotFound) {
		return nil // another run was faster
	}
	return err
}

// busy tries again, later each time: what holds the device may be about to let go.
func (r *run) busy(ctx context.Context, v db.Volume, reason error) error {
	if r.notes.BusyTries >= r.BusyTries {
		return r.restDelete(ctx, v, db.DeleteBusy, sentence(reason))
	}
	return r.volumeAgain(ctx, v, db.DeleteWait, reason)
}

// restDelete ends a deletion that failed. A volume whose key has been deleted is
// no volume any more that could be used: it stays in error_deleting.
func (r *run) restDelete(ctx context.Context, v db.Volume, m db.Move, reason string) error {
	if v.EncryptionKeyID != nil && m.To != db.DeleteFailed.To {
		kept, known, err := r.DB.KeptKey(ctx, *v.EncryptionKeyID)
		if err != nil {
			return err
		}
		if !known || kept.State == "due" {
			m, reason = db.DeleteFailed, reason+"; its encryption key is gone already"
		}
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		moved, err := tx.MoveVolumeAt(ctx, v, m, reason, nil)
		if err == nil && m.To == db.Settled {
			err = tx.AbandonGrowth(ctx, moved) // it was to be extended when it was to be deleted
		}
		if err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionDeleteVolume, db.DetailUnknownError,
			"The volume was not deleted: "+reason+".", r.request))
	})
}
