package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
	"clinker/scheduler/jobs"
)

func init() {
	chores = append(chores,
		chore{"lost backup jobs", 5 * time.Second, (*Reconciler).lostBackups},
		chore{"interrupted backup work", 10 * time.Second, (*Reconciler).interruptedBackups},
		chore{"held for backups", 10 * time.Second, (*Reconciler).heldForBackups})
}

// lostBackups gives a job to every backup in a moving status that has none. One
// that no volume is made of any more is available.
func (r *Reconciler) lostBackups(ctx context.Context) error {
	if err := mend(ctx, r, (*db.Tx).BackupAgain, func(b db.Backup) {
		slog.WarnContext(ctx, "a backup had no job, and has one again", "backup", b.ID, "status", b.Status)
	})(r.DB.LostBackups(ctx, r.Quiet/2, most)); err != nil {
		return err
	}
	return mend(ctx, r, (*db.Tx).EndBackupRestore, nil)(r.DB.StrandedBackupRestores(ctx, r.Quiet, most))
}

// interruptedBackups goes on with what a silent node ended.
func (r *Reconciler) interruptedBackups(ctx context.Context) error {
	if err := mend(ctx, r, (*db.Tx).ResumeBackupDelete, nil)(r.DB.InterruptedBackupDeletes(ctx, jobs.ReasonSilent, most)); err != nil {
		return err
	}
	return mend(ctx, r, (*db.Tx).ResumeRestore, nil)(r.DB.InterruptedBackupRestores(ctx, jobs.ReasonRestoreSilent, most))
}

// heldForBackups lets go of volumes and snapshots that are held for a backup which
// nobody makes or restores any more.
func (r *Reconciler) heldForBackups(ctx context.Context) error {
	if err := mend(ctx, r, (*db.Tx).LetGoOfVolume, func(v db.Volume) {
		slog.WarnContext(ctx, "a volume was held for a backup, and is let go of", "volume", v.ID, "status", v.Status)
	})(r.DB.HeldForBackup(ctx, r.Quiet, most)); err != nil {
		return err
	}
	return mend(ctx, r, (*db.Tx).LetGoOfSnapshot, func(s db.Snapshot) {
		slog.WarnContext(ctx, "a snapshot was held for a backup, and is let go of", "snapshot", s.ID)
	})(r.DB.SnapshotsHeldForBackup(ctx, r.Quiet, most))
}
