package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() { register((*Runner).snapshotCreate, Control{CannotRetry: noMoment}) }

// snapshotCreate takes a snapshot: claim its room in the volume's pool, have the
// node take it, finish; or error, with a message that says why. What a node may
// have made all the same is taken away by the reconciler.
func (r *Runner) snapshotCreate(ctx context.Context, job *river.Job[db.SnapshotCreateArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Snapshot, job.Args.SnapshotID, snapshotIs(db.SnapshotCreating), (*run).takeSnapshot))
}

func (r *run) takeSnapshot(ctx context.Context, s db.Snapshot) error {
	if s.PoolID == nil {
		return r.failSnapshot(ctx, s, "The volume has no place on a storage node.")
	}
	where, err := r.whereIs(ctx, *s.PoolID)
	if err != nil {
		return err
	}
	fits, err := r.DB.ClaimSnapshot(ctx, s)
	if err != nil {
		return err
	}
	if !fits {
		return r.failSnapshot(ctx, s, "The volume's pool has no room for a snapshot of it.")
	}
	volume, err := r.DB.StorageID(ctx, s.VolumeID)
	if err != nil {
		return err
	}
	err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).Snapshot(ctx, snapshotFence("snapshot", s), where.pool, volume)
	})
	switch {
	case err == nil:
		return r.DB.FinishSnapshot(ctx, s)
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleAt(s.Generation):
		return err // the row is read again
	case fault.Is(err, fault.Busy) && r.mayTryAgain():
		return r.waitSnapshot(ctx, s, db.SnapshotCreateWait, err)
	}
	slog.WarnContext(ctx, "node took no snapshot", "snapshot", s.ID, "volume", s.VolumeID, "pool", where.name, "error", err)
	return r.failSnapshot(ctx, s, "The snapshot was not taken: "+sentence(err)+".")
}

// failSnapshot ends the creation, and tells the user.
func (r *run) failSnapshot(ctx context.Context, s db.Snapshot, text string) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailSnapshot(ctx, s, text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewSnapshotMessage(s, db.ActionCreateSnapshot, db.DetailSnapshotCreate, text, r.request))
	})
}

// snapshotFence is fence for work on a snapshot.
func snapshotFence(operation string, s db.Snapshot) rpc.Fence {
	return rpc.Fence{
		OperationID: fmt.Sprintf("%s-%s-%d", operation, s.ID, s.Generation),
		ResourceID:  s.ID,
		Generation:  s.Generation,
	}
}

// staleAt is staleFor by generation.
func (r *run) staleAt(generation int64) bool {
	before := r.stale
	r.stale = generation
	return before == generation
}

// waitSnapshot has the job run again, later each time, as a new operation.
func (r *run) waitSnapshot(ctx context.Context, s db.Snapshot, m db.Move, reason error) error {
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.MoveSnapshotAt(ctx, s, m, sentence(reason), nil)
		return err
	})
	if err != nil {
		return err
	}
	return r.later()
}
