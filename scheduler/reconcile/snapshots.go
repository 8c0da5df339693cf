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
	lost, err := r.DB.LostSnapshots(ctx, r.Quiet/2, most)
	if err != nil {
		return err
	}
	for _, s := range lost {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.SnapshotAgain(ctx, s) }); err != nil {
			return err
		}
		slog.WarnContext(ctx, "a snapshot had no job, and has one again", "snapshot", s.ID, "status", s.Status)
	}
	stranded, err := r.DB.StrandedRestores(ctx, r.Quiet, most)
	if err != nil {
		return err
	}
	for _, s := range stranded {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.EndRestore(ctx, s) }); err != nil {
			return err
		}
	}
	reverts, err := r.DB.LostReverts(ctx, r.Quiet/2, most)
	if err != nil {
		return err
	}
	for _, v := range reverts {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.RevertAgain(ctx, v) }); err != nil {
			return err
		}
		slog.WarnContext(ctx, "a volume that is being reverted had no job, and has one again", "volume", v.ID)
	}
	return nil
}

// interruptedSnapshots goes on with what a silent node ended.
func (r *Reconciler) interruptedSnapshots(ctx context.Context) error {
	snapshots, err := r.DB.InterruptedSnapshotDeletes(ctx, jobs.ReasonSilent, most)
	if err != nil {
		return err
	}
	for _, s := range snapshots {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.ResumeSnapshotDelete(ctx, s) }); err != nil {
			return err
		}
	}
	reverts, err := r.DB.InterruptedReverts(ctx, jobs.ReasonRevertSilent, most)
	if err != nil {
		return err
	}
	for _, v := range reverts {
		if err := r.mend(ctx, func(tx *db.Tx) error { return tx.ResumeRevert(ctx, v) }); err != nil {
			return err
		}
	}
	return nil
}

// mend makes one change; that a request was faster is no error.
func (r *Reconciler) mend(ctx context.Context, change func(tx *db.Tx) error) error {
	if err := r.DB.Tx(ctx, change); err != nil && !gone(err) {
		return err
	}
	return nil
}
