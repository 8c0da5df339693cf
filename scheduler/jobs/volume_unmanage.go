package jobs

import (
	"context"
	"log/slog"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() {
	register((*Runner).volumeUnmanage, Control{CannotCancel: tooShort, CannotRetry: askAgain})
}

// volumeUnmanage has the node forget a volume, and then takes it from the lists.
// What it holds stays in the pool, under the volume's name.
func (r *Runner) volumeUnmanage(ctx context.Context, job *river.Job[db.VolumeUnmanageArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Volume, job.Args.VolumeID, volumeIs("unmanaging"), (*run).unmanage))
}

func (r *run) unmanage(ctx context.Context, v db.Volume) error {
	if v.PoolID == nil {
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishUnmanage(ctx, v) })
	}
	pool, err := r.DB.PoolOf(ctx, *v.PoolID)
	if err != nil {
		return err
	}
	reference, _, err := r.formerName(ctx, v.ID)
	if err != nil {
		return err
	}
	err = r.letGo(ctx, fence("unmanage", v), placeOf(pool), rpc.KindVolume, reference)
	switch {
	case err == nil:
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishUnmanage(ctx, v) })
	case again(ctx, err):
		return err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err // the row is read again
	}
	slog.WarnContext(ctx, "volume is not unmanaged", "volume", v.ID, "pool", pool.Name, "error", err)
	reason, detail := manageReason(err, ReasonUnmanageSilent)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.MoveVolumeAt(ctx, v, db.UnmanageFailed, reason, nil); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionUnmanageVolume, detail, "The volume is not unmanaged: "+reason+".", r.request))
	})
}

// letGo asks a node to forget something.
func (r *run) letGo(ctx context.Context, f rpc.Fence, where place, kind rpc.Kind, reference string) error {
	return r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).Unmanage(ctx, f, where.pool, kind, reference)
	})
}

// formerName gives the name to be given back to what was not managed to its end;
// foreign is false for all else.
func (r *run) formerName(ctx context.Context, id string) (reference string, foreign bool, err error) {
	m, ok, err := r.DB.ManagedOf(ctx, id)
	if err != nil || !ok || m.State != db.Managing {
		return "", false, err
	}
	return m.Reference, true, nil
}
