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
	register((*Runner).snapshotManage, Control{CannotCancel: tooShort, CannotRetry: askAgain})
	register((*Runner).snapshotUnmanage, Control{CannotCancel: tooShort, CannotRetry: askAgain})
}

// snapshotManage is volumeManage for a snapshot of a volume that is there.
func (r *Runner) snapshotManage(ctx context.Context, job *river.Job[db.SnapshotManageArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Snapshot, job.Args.SnapshotID, snapshotIs(db.SnapshotManaging), (*run).manageSnapshot))
}

func (r *run) manageSnapshot(ctx context.Context, s db.Snapshot) error {
	m, where, err := r.managedPlace(ctx, s.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err == nil && s.ClaimedBytes == 0 {
		s, err = r.sizeSnapshot(ctx, s, m, where)
	}
	volume := ""
	if err == nil {
		volume, err = r.DB.StorageID(ctx, s.VolumeID)
	}
	if err == nil {
		err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
			return r.Nodes.Node(where.endpoint).Manage(ctx, snapshotFence("manage", s), where.pool, rpc.KindSnapshot,
				m.Reference, int64(s.SizeGiB)<<30, volume)
		})
	}
	switch {
	case err == nil:
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishManageSnapshot(ctx, s) })
	case again(ctx, err):
		return err
	case fault.Is(err, fault.Stale) && !r.staleAt(s.Generation):
		return err // the row is read again
	}
	slog.WarnContext(ctx, "snapshot is not managed", "snapshot", s.ID, "pool", where.name, "reference", m.Reference, "error", err)
	reason, detail := manageReason(err, ReasonManageSilent)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.MoveSnapshotAt(ctx, s, db.SnapshotManageFailed, reason, nil); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewSnapshotMessage(s, db.ActionManageSnapshot, detail, "The snapshot is not managed: "+reason+".", r.request))
	})
}

// sizeSnapshot counts what the node says of it. One that looks longer than its
// volume is none of it.
func (r *run) sizeSnapshot(ctx context.Context, s db.Snapshot, m db.Managed, where place) (db.Snapshot, error) {
	c, err := r.candidate(ctx, m.Reference, where)
	if err != nil {
		return s, err
	}
	size := wholeGiB(c.Bytes)
	if size > s.SizeGiB {
		return s, fault.New(fault.Invalid, "it has %d GiB, and its volume %d", size, s.SizeGiB)
	}
	sized := s
	err = r.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		sized, err = tx.SizeManagedSnapshot(ctx, s, size)
		return err
	})
	if err != nil {
		return s, reread(err)
	}
	return sized, nil
}

// snapshotUnmanage is volumeUnmanage for a snapshot.
func (r *Runner) snapshotUnmanage(ctx context.Context, job *river.Job[db.SnapshotUnmanageArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Snapshot, job.Args.SnapshotID, snapshotIs(db.SnapshotUnmanaging), (*run).unmanageSnapshot))
}

func (r *run) unmanageSnapshot(ctx context.Context, s db.Snapshot) error {
	pool, err := r.DB.PoolOf(ctx, *s.PoolID)
	if err != nil {
		return err
	}
	reference, _, err := r.formerName(ctx, s.ID)
	if err != nil {
		return err
	}
	err = r.letGo(ctx, snapshotFence("unmanage", s), placeOf(pool), rpc.KindSnapshot, reference)
	switch {
	case err == nil:
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishSnapshotUnmanage(ctx, s) })
	case again(ctx, err):
		return err
	case fault.Is(err, fault.Stale) && !r.staleAt(s.Generation):
		return err // the row is read again
	}
	slog.WarnContext(ctx, "snapshot is not unmanaged", "snapshot", s.ID, "pool", pool.Name, "error", err)
	reason, detail := manageReason(err, ReasonUnmanageSilent)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.MoveSnapshotAt(ctx, s, db.SnapshotUnmanageFailed, reason, nil); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewSnapshotMessage(s, db.ActionUnmanageSnapshot, detail, "The snapshot is not unmanaged: "+reason+".", r.request))
	})
}
