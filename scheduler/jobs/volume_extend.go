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
	register((*Runner).volumeExtend, Control{CannotCancel: "what has grown cannot shrink", CannotRetry: askAgain})
}

// ReasonExtendSilent is what the history says of an extension that ended in
// error_extending because the node did not answer. The reconciler takes it up again
// when the node is back.
const ReasonExtendSilent = "the storage node does not answer; the extension goes on when it does"

// errNoRoom rolls back a claim that does not fit.
var errNoRoom = errors.New("no room in the pool")

// volumeExtend makes a volume as long as its row wants it: claim the growth,
// have the node extend it, finish. What fails leaves it as it was. A node that does not
// answer leaves it in error_extending until it does.
func (r *Runner) volumeExtend(ctx context.Context, job *river.Job[db.VolumeExtendArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Volume, job.Args.VolumeID, extending, (*run).extend))
}

func extending(v db.Volume) bool { return v.Status == "extending" && v.TargetSizeGiB != nil }

func (r *run) extend(ctx context.Context, v db.Volume) error {
	bytes := int64(*v.TargetSizeGiB) << 30
	if v.PoolID == nil {
		return r.failExtend(ctx, v, db.ExtendFailed, db.DetailUnknownError, "The volume has no place on a storage node.")
	}
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		fits, err := tx.ClaimGrowth(ctx, v.ID, bytes)
		if err == nil && !fits {
			err = errNoRoom
		}
		return err
	})
	if errors.Is(err, errNoRoom) {
		return r.failExtend(ctx, v, db.ExtendRefused, db.DetailNoBackendAvailable,
			"The volume's pool has no room for it to grow. Its size has not changed.")
	}
	if err != nil {
		return err
	}
	return r.extendOnNode(ctx, v, bytes)
}

func (r *run) extendOnNode(ctx context.Context, v db.Volume, bytes int64) error {
	where, err := r.whereIs(ctx, *v.PoolID)
	if err != nil {
		return err
	}
	err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).Extend(ctx, fence("extend", v), where.pool, bytes)
	})
	switch {
	case err == nil:
		return r.finishExtend(ctx, v)
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err // the row is read again
	}
	slog.WarnContext(ctx, "node did not extend", "volume", v.ID, "pool", where.name, "error", err)
	if fault.Is(err, silent) {
		return r.suspendExtend(ctx, v)
	}
	move := db.ExtendFailed
	if fault.Is(err, fault.Busy) {
		move = db.ExtendRefused // the node looked before it changed anything
	}
	return r.failExtend(ctx, v, move, db.DetailDriverFailedExtend, "The volume was not extended: "+sentence(err)+".")
}

// finishExtend is for a volume that its node has extended. It stays as long as it
// is though its limits could not follow; a job that begins again finds done what
// is done.
func (r *run) finishExtend(ctx context.Context, v db.Volume) error {
	reason, err := r.limit(ctx, v, v.VolumeTypeID, *v.TargetSizeGiB)
	if err != nil {
		return err
	}
	if reason != "" {
		slog.WarnContext(ctx, "a volume that has grown keeps the limits of its old size until it is attached anew", "volume", v.ID, "reason", reason)
	}
	return r.finish(ctx, func(tx *db.Tx) error {
		grown, err := tx.FinishExtend(ctx, v)
		if err != nil || r.Compute == nil || grown.Status == "available" {
			return err
		}
		return tx.Enqueue(ctx, db.VolumeExtendedArgs{VolumeID: v.ID, Request: r.request})
	})
}

// suspendExtend leaves it open whether the node has extended the volume.
func (r *run) suspendExtend(ctx context.Context, v db.Volume) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.SuspendExtend(ctx, v, ReasonExtendSilent); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionExtendVolume, db.DetailDriverFailedExtend,
			"The volume was not extended: "+ReasonExtendSilent+".", r.request))
	})
}

func (r *run) failExtend(ctx context.Context, v db.Volume, m db.Move, detail db.MessageWord, text string) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailExtend(ctx, v, m, text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionExtendVolume, detail, text, r.request))
	})
}
