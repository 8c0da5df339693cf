package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// groupSnapshotCreate takes the snapshots of all volumes of a group: first the
// room for all of them, then all at once at their node, then all of the rows. If
// one cannot be taken, none is of use, and all are in error; what the node made
// all the same is taken away by the reconciler.
func (r *Runner) groupSnapshotCreate(ctx context.Context, job *river.Job[db.GroupSnapshotCreateArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, func(ctx context.Context, run *run) error {
		gs, err := r.DB.GroupSnapshot(ctx, job.Args.GroupSnapshotID, "")
		if fault.Is(err, fault.NotFound) || err == nil && gs.Status != db.GroupCreating {
			return nil
		}
		if err != nil {
			return err
		}
		members, err := r.DB.SnapshotsOfGroupSnapshot(ctx, gs.ID)
		if err != nil {
			return err
		}
		return run.takeGroup(ctx, gs, members)
	})
}

func (r *run) takeGroup(ctx context.Context, gs db.GroupSnapshot, members []db.Snapshot) error {
	for _, s := range members {
		if s.PoolID == nil {
			return r.failGroupSnapshot(ctx, gs, members, "A volume has no place on a storage node.")
		}
		fits, err := r.DB.ClaimSnapshot(ctx, s)
		if err != nil {
			return err
		}
		if !fits {
			return r.failGroupSnapshot(ctx, gs, members, "The pool has no room for a snapshot of each volume.")
		}
	}
	err := r.takeMembers(ctx, members)
	switch {
	case err == nil:
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishGroupSnapshot(ctx, gs, members) })
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleAt(gs.Generation):
		return err // the rows are read again
	case fault.Is(err, fault.Busy) && r.mayTryAgain():
		return r.waitGroupSnapshot(ctx, gs, members, err)
	}
	slog.WarnContext(ctx, "no snapshot of the group", "group_snapshot", gs.ID, "group", gs.GroupID, "error", err)
	return r.failGroupSnapshot(ctx, gs, members, "The snapshots were not taken: "+sentence(err)+".")
}

// takeMembers has the node take all snapshots, each as an operation of its own,
// which a retry joins. They are asked for at the same time, so that they are as
// near to each other as the node can.
func (r *run) takeMembers(ctx context.Context, members []db.Snapshot) error {
	places, err := r.placesOf(ctx, members)
	if err != nil || len(members) == 0 {
		return err
	}
	return r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		operations, errs := make([]*rpc.Operation, len(members)), make([]error, len(members))
		var all sync.WaitGroup
		for i, s := range members {
			all.Go(func() {
				operations[i], errs[i] = r.Nodes.Node(places[i].endpoint).Snapshot(ctx, snapshotFence("snapshot", s), places[i].pool, s.VolumeID)
			})
		}
		all.Wait()
		return together(operations, errs)
	})
}

// placesOf gives where each member is to be taken.
func (r *run) placesOf(ctx context.Context, members []db.Snapshot) ([]place, error) {
	places := make([]place, len(members))
	for i, s := range members {
		pool, err := r.DB.PoolOf(ctx, *s.PoolID)
		if err != nil {
			return nil, err
		}
		places[i] = placeOf(pool)
	}
	return places, nil
}

// together is the worst of several operations: a failure, then one that runs.
func together(operations []*rpc.Operation, errs []error) (worst *rpc.Operation, err error) {
	for i, o := range operations {
		switch {
		case errs[i] != nil:
			return nil, errs[i]
		case o.State == rpc.Failed:
			return o, nil
		case worst == nil || o.State == rpc.Running:
			worst = o
		}
	}
	return worst, nil
}

// failGroupSnapshot ends the creation, and tells the user.
func (r *run) failGroupSnapshot(ctx context.Context, gs db.GroupSnapshot, members []db.Snapshot, text string) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailGroupSnapshot(ctx, gs, members, text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewGroupSnapshotMessage(gs, db.ActionCreateSnapshot, db.DetailSnapshotCreate, text, r.request))
	})
}

// waitGroupSnapshot has the job run again, later each time, as new operations.
func (r *run) waitGroupSnapshot(ctx context.Context, gs db.GroupSnapshot, members []db.Snapshot, reason error) error {
	err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.RetryGroupSnapshot(ctx, gs, members, sentence(reason)) })
	if err != nil {
		return err
	}
	return r.later()
}
