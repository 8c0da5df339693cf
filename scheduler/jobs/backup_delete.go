package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() {
	register((*Runner).backupDelete, Control{CannotCancel: goesOn, Again: backupDeleteAgain})
}

// backupDeleteAgain goes on with a backup's deletion.
func backupDeleteAgain(ctx context.Context, tx *db.Tx, job db.Job) error {
	return tx.ResumeBackupDelete(ctx, db.Backup{ID: job.ResourceID, RequestID: job.RequestID})
}

// backupDelete takes a backup from its store and then from the lists, when the
// volumes that are being made of it are done. Any node that reaches the store may
// do it; where none answers the backup rests in error_deleting.
func (r *Runner) backupDelete(ctx context.Context, job *river.Job[db.BackupDeleteArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Backup, job.Args.BackupID, backupIs(db.BackupDeleting), (*run).deleteBackup))
}

func (r *run) deleteBackup(ctx context.Context, b db.Backup) error {
	copied, err := r.DB.BackupCopied(ctx, b.ID)
	if err == nil && copied {
		err = errAgain
	}
	if err != nil {
		return err
	}
	if b.Store == nil {
		return r.finishBackupDelete(ctx, b)
	}
	service, err := r.destroyer(ctx, b)
	if err != nil {
		return err
	}
	if service == nil {
		if r.inGrace() {
			return errAgain
		}
		return r.restBackupDelete(ctx, b, fault.New(silent, "no storage node that reaches its store answers"))
	}
	err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return r.Nodes.Node(service.Endpoint).DestroyBackup(ctx, backupFence("destroy-backup", b), backupPlace(b))
	})
	switch {
	case err == nil:
		return r.finishBackupDelete(ctx, b)
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleAt(b.Generation):
		return err // the row is read again
	case fault.Is(err, silent):
		r.notes.Tried = append(r.notes.Tried, attempt{Pool: service.Host, Reason: sentence(err)})
		return errAgain // with another node, if there is one
	}
	slog.WarnContext(ctx, "node did not delete", "backup", b.ID, "host", service.Host, "error", err)
	return r.restBackupDelete(ctx, b, err)
}

// destroyer gives the node to be asked: the one that was asked before, as long as it
// answers, or another that reaches the store; nil for none.
func (r *run) destroyer(ctx context.Context, b db.Backup) (*db.Service, error) {
	services, err := r.backupServices(ctx)
	if err != nil {
		return nil, err
	}
	services = slices.DeleteFunc(services, func(s db.Service) bool {
		return s.BackupStore != *b.Store || slices.ContainsFunc(r.notes.Tried, func(a attempt) bool { return a.Pool == s.Host })
	})
	if len(services) == 0 {
		return nil, nil
	}
	i := slices.IndexFunc(services, func(s db.Service) bool { return b.Host != nil && s.Host == *b.Host })
	if i < 0 {
		i = 0
		err = r.DB.HostBackup(ctx, b, services[0].Host)
	}
	return &services[i], err
}

func (r *run) finishBackupDelete(ctx context.Context, b db.Backup) error {
	return unlessGone(r.finish(ctx, func(tx *db.Tx) error { return tx.FinishBackupDelete(ctx, b) }))
}

// restBackupDelete ends a deletion that did not succeed, and tells the user.
func (r *run) restBackupDelete(ctx context.Context, b db.Backup, why error) error {
	move, reason := db.BackupDeleteFailed, sentence(why)
	if fault.Is(why, silent) {
		move, reason = db.BackupDeleteSilent, ReasonSilent
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailBackupDelete(ctx, b, move, reason); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewBackupMessage(b, db.ActionDeleteBackup, db.DetailBackupDelete,
			"The backup was not deleted: "+reason+".", r.request))
	})
}
