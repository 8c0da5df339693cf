package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() {
	register((*Runner).backupRestore, Control{Again: restoreAgain}) // the volume is in error_restoring meanwhile
}

// restoreAgain writes the backup over the volume from the beginning.
func restoreAgain(ctx context.Context, tx *db.Tx, job db.Job) error {
	return tx.RestoreAgain(ctx, job.ResourceID)
}

// ReasonRestoreSilent is what the history says of a restore that ended in
// error_restoring because the node did not answer. The reconciler takes it up again
// when the node is back.
const ReasonRestoreSilent = "the storage node does not answer; the restore goes on when it does"

// backupRestore writes a backup over a volume. While that is not done, the volume
// may be partly the one and partly the other: whatever ends the work before leaves
// it in error_restoring.
func (r *Runner) backupRestore(ctx context.Context, job *river.Job[db.BackupRestoreArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, func(ctx context.Context, run *run) error {
		b, v, restoring, err := r.DB.RestoringBackup(ctx, job.Args.BackupID)
		if fault.Is(err, fault.NotFound) || err == nil && !restoring {
			return nil
		}
		if err != nil {
			return err
		}
		return run.restoreOver(ctx, b, v)
	})
}

func (r *run) restoreOver(ctx context.Context, b db.Backup, v db.Volume) error {
	if v.PoolID == nil || b.Store == nil {
		return r.failRestoreOver(ctx, b, v, "the volume has no place, or the backup has none")
	}
	if r.cancel && r.first {
		if given, err := r.giveUpRestore(ctx, b, v); given || err != nil {
			return err
		}
	}
	where, err := r.whereIs(ctx, *v.PoolID)
	if err != nil {
		return err
	}
	if r.cancel {
		return r.cancelRestore(ctx, b, v, where)
	}
	services, err := r.backupServices(ctx)
	if err != nil {
		return err
	}
	if s := backupServiceAt(services, where); s == nil || s.BackupStore != *b.Store {
		if r.inGrace() {
			return errAgain
		}
		return r.failRestoreOver(ctx, b, v, "the volume's storage node does not reach the backup's store")
	}
	err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).Restore(ctx, fence("restore", v), where.pool, backupPlace(b), int64(v.SizeGiB)<<30, true)
	})
	switch {
	case err == nil:
		return r.finish(ctx, func(tx *db.Tx) error { return tx.FinishRestore(ctx, v, b) })
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err // the row is read again
	case (fault.Is(err, fault.Busy) || fault.Is(err, fault.Unavailable)) && r.mayTryAgain():
		return r.restoreLater(ctx, v, err)
	}
	slog.WarnContext(ctx, "node did not restore", "volume", v.ID, "backup", b.ID, "pool", where.name, "error", err)
	if fault.Is(err, silent) {
		return r.failRestoreOver(ctx, b, v, ReasonRestoreSilent)
	}
	return r.failRestoreOver(ctx, b, v, sentence(err))
}

// giveUpRestore ends a restore that nobody has begun: no node has heard of it, and the
// volume is as it was. False when an earlier job may have begun it.
func (r *run) giveUpRestore(ctx context.Context, b db.Backup, v db.Volume) (bool, error) {
	begun, err := r.DB.RestoreJustBegun(ctx, v, b)
	if err != nil || !begun {
		return false, err
	}
	r.notes.Cancelled = true
	return true, r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.GiveUpRestore(ctx, v, byAdministrator); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewBackupMessage(b, db.ActionRestoreBackup, db.DetailBackupRestore,
			"The volume was not restored, and is as it was: "+byAdministrator+".", r.request))
	})
}

// cancelRestore ends a restore that may never have begun, without beginning it: it would
// write over what is to be kept. One at a node that does not answer is not gone on with
// when that is back.
func (r *run) cancelRestore(ctx context.Context, b db.Backup, v db.Volume, where place) error {
	err := r.cancelKnown(ctx, r.Nodes.Node(where.endpoint), fence("restore", v))
	switch {
	case err == nil:
		return r.finish(ctx, func(tx *db.Tx) error { return tx.FinishRestore(ctx, v, b) })
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, silent):
		r.notes.Cancelled, err = true, fault.New(fault.Cancelled, "%s", byAdministrator)
	}
	return r.failRestoreOver(ctx, b, v, sentence(err))
}

func (r *run) restoreLater(ctx context.Context, v db.Volume, reason error) error {
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.MoveVolumeAt(ctx, v, db.RestoreWait, sentence(reason), nil)
		return err
	})
	if err != nil {
		return err
	}
	return r.later()
}

func (r *run) failRestoreOver(ctx context.Context, b db.Backup, v db.Volume, reason string) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailRestoreOver(ctx, v, reason); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewBackupMessage(b, db.ActionRestoreBackup, db.DetailBackupRestore,
			"The volume was not restored, or only in part: "+reason+".", r.request))
	})
}

// createOfBackup is createOnce for a volume of a backup that has its place.
func (r *run) createOfBackup(ctx context.Context, v db.Volume, where place) (next bool, err error) {
	b, err := r.DB.Backup(ctx, *v.BackupID, "")
	if fault.Is(err, fault.NotFound) {
		return false, r.failRestoreToNew(ctx, v, "The backup "+*v.BackupID+" is gone")
	}
	if err != nil {
		return false, err
	}
	err = r.operate(ctx, r.PlacePatience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(where.endpoint).Restore(ctx, fence("create", v), where.pool, backupPlace(b), int64(v.SizeGiB)<<30, false)
	})
	switch {
	case err == nil:
		return false, r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishRestore(ctx, v, b) })
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return false, err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return true, nil
	case r.cancel:
		return false, r.cancelCreate(ctx, v)
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.NotFound): // no other pool would do better
		return false, r.failRestoreToNew(ctx, v, "The backup could not be restored: "+strings.TrimSuffix(sentence(err), "."))
	}
	return true, r.leavePool(ctx, v, where, err)
}

// failRestoreToNew ends the creation and tells the user what is wrong with the
// backup. What the node may have made is an orphan there.
func (r *run) failRestoreToNew(ctx context.Context, v db.Volume, text string) error {
	slog.WarnContext(ctx, "no volume can be made of the backup", "volume", v.ID, "backup", *v.BackupID, "reason", text)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailRestoreToNew(ctx, v, text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionRestoreBackup, db.DetailBackupRestore, text+".", r.request))
	})
}
