package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() {
	register((*Runner).groupSnapshotCreate, Control{CannotCancel: tooShort, CannotRetry: noMoment})
}

// groupSnapshotCreate takes the snapshots of all volumes of a group: first the
// room for all of them, then all at once at their node, then all of the rows. If
// one cannot be taken, none is of use, and all are in error; what the node made
// all the same is taken away by the reconciler.
func (r *Runner) groupSnapshotCreate(ctx context.Context, job *river.Job[db.GroupSnapshotCreateArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.GroupSnapshot, job.Args.GroupSnapshotID, groupSnapshotIs(db.GroupCreating), (*run).takeGroup))
}

func (r *run) takeGroup(ctx context.Context, gs db.GroupSnapshot) error {
	members, err := r.DB.SnapshotsOfGroupSnapshot(ctx, gs.ID)
	if err != nil {
		return err
	}
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
	err = r.takeMembers(ctx, gs, members)
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

// takeMembers has the node take all snapshots, in one operation which a retry
// joins. Where the group type asks for consistent snapshots, they are of one
// moment, or there are none.
func (r *run) takeMembers(ctx context.Context, gs db.GroupSnapshot, members []db.Snapshot) error {
	if len(members) == 0 {
		return nil
	}
	asked, endpoint, err := r.membersAt(ctx, members)
	if err != nil {
		return err
	}
	kind, err := r.DB.GroupType(ctx, gs.GroupTypeID, true)
	if err != nil {
		return err
	}
	f := rpc.Fence{OperationID: fmt.Sprintf("group-%s-%d", gs.ID, gs.Generation), ResourceID: gs.ID, Generation: gs.Generation}
	return r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(endpoint).SnapshotGroup(ctx, f, asked, consistent(kind.GroupSpecs))
	})
}

// consistent tells whether a group type asks for snapshots of one moment.
func consistent(specs db.StringMap) bool {
	return strings.EqualFold(strings.Join(strings.Fields(specs["consistent_group_snapshot_enabled"]), " "), "<is> true")
}

// membersAt says what is asked of the node, and where it is. A group's volumes
// are all on one backend; what an administrator has done about it all the same
// cannot be snapshotted together.
func (r *run) membersAt(ctx context.Context, members []db.Snapshot) (asked []*rpc.Member, endpoint string, err error) {
	for i, s := range members {
		pool, err := r.DB.PoolOf(ctx, *s.PoolID)
		if err != nil {
			return nil, "", err
		}
		where := placeOf(pool)
		if i > 0 && where.endpoint != endpoint {
			return nil, "", fault.New(fault.Unsupported, "the volumes are on several storage nodes")
		}
		endpoint = where.endpoint
		volume, err := r.DB.StorageID(ctx, s.VolumeID)
		if err != nil {
			return nil, "", err
		}
		asked = append(asked, &rpc.Member{SnapshotID: s.ID, Generation: s.Generation, Pool: where.pool, VolumeID: volume})
	}
	return asked, endpoint, nil
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
