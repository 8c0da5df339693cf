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
		chore{"lost snapshot jobs", 5 * time.Second, (*Reconciler).lostSnapshots},
		chore{"interrupted snapshot work", 10 * time.Second, (*Reconciler).interruptedSnapshots})
}

// lostSnapshots gives a job to every snapshot in a moving status, and to every
// volume that is being reverted, that has none; a snapshot whose volume is not
// being reverted after all is available.
func (r *Reconciler) lostSnapshots(ctx context.Context) error {
	if err := mend(ctx, r, (*db.Tx).SnapshotAgain, func(s db.Snapshot) {
		slog.WarnContext(ctx, "a snapshot had no job, and has one again", "snapshot", s.ID, "status", s.Status)
	})(r.DB.LostSnapshots(ctx, r.Quiet/2, most)); err != nil {
		return err
	}
	if err := mend(ctx, r, (*db.Tx).EndRestore, nil)(r.DB.StrandedRestores(ctx, r.Quiet, most)); err != nil {
		return err
	}
	return mend(ctx, r, (*db.Tx).RevertAgain, func(v db.Volume) {
		slog.WarnContext(ctx, "a volume that is being reverted had no job, and has one again", "volume", v.ID)
	})(r.DB.LostReverts(ctx, r.Quiet/2, most))
}

// interruptedSnapshots goes on with what a silent node ended.
func (r *Reconciler) interruptedSnapshots(ctx context.Context) error {
	if err := mend(ctx, r, (*db.Tx).ResumeSnapshotDelete, nil)(r.DB.InterruptedSnapshotDeletes(ctx, jobs.ReasonSilent, most)); err != nil {
		return err
	}
	return mend(ctx, r, (*db.Tx).ResumeRevert, nil)(r.DB.InterruptedReverts(ctx, jobs.ReasonRevertSilent, most))
}
