package scheduler_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/jobs"
	"clinker/scheduler/nodetest"
)

// A silent node ends what was asked of it; what can go on when it is back does.
func TestSilentNodeAndBackups(t *testing.T) {
	t.Parallel()
	store := nodetest.NewStore("one")
	node := keeper("a", store)
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) {
		o.Jobs.Patience, o.Jobs.FirstWait, o.Jobs.Grace = 100*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	}
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	node.Write(vg, v.ID, "bytes")
	id := r.backUp(v.ID, false, nil)
	r.backupRests(id, db.BackupAvailable)
	node.Write(vg, v.ID, "later")
	node.SetDown(true)
	failed := r.backUp(v.ID, false, nil)
	r.backupRests(failed, db.BackupError)
	r.rests(v.ID, "available")
	r.restoreOver(id, v.ID)
	r.rests(v.ID, "error_restoring")
	r.dropBackup(failed)
	r.backupRests(failed, db.BackupErrorDeleting)
	node.Mend()
	r.eventually("both go on", func() bool {
		r.sweep()
		_, err := r.db.Backup(t.Context(), failed, "")
		return fault.Is(err, fault.NotFound) && r.read(v.ID).Status == "available" && node.Volumes()[v.ID].Content == "bytes"
	})
	r.backupRests(id, db.BackupAvailable)
	if len(store.Backups()) != 1 {
		t.Error(store.Backups())
	}
}

// What an administrator says of one of the two must not hold the other for ever.
func TestNothingIsHeldForABackupThatIsNoMore(t *testing.T) {
	t.Parallel()
	node := keeper("a", nodetest.NewStore("one"))
	r := newRig(t, node)
	stop := r.start()
	v, other, third := r.rests(r.request(1, nil).ID, "available"), r.rests(r.request(1, nil).ID, "available"), r.rests(r.request(1, nil).ID, "available")
	s := r.snapshotRests(r.take(third.ID), "available")
	id := r.backUp(third.ID, false, nil)
	r.backupRests(id, db.BackupAvailable)
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		for volume, status := range map[string]string{v.ID: "backing-up", other.ID: "restoring-backup"} {
			if _, err := tx.MoveVolume(ctx, volume, db.ResetTo(status), "", nil); err != nil {
				return err
			}
		}
		_, err := tx.MoveSnapshot(ctx, s.ID, db.ResetTo("backing-up"), "", nil)
		if err == nil {
			_, err = tx.MoveBackup(ctx, id, db.ResetTo("restoring"), "", nil)
		}
		return err
	})
	r.eventually("all is let go of", func() bool {
		r.sweep()
		b, err := r.db.Backup(t.Context(), id, "")
		snap, snapErr := r.db.Snapshot(t.Context(), s.ID, "")
		return err == nil && snapErr == nil && b.Status == db.BackupAvailable && snap.Status == "available" &&
			r.read(v.ID).Status == "available" && r.read(other.ID).Status == "error_restoring"
	})
	// Jobs that are lost are made again.
	stop()
	lost := r.backUp(v.ID, false, nil)
	if _, err := r.db.Pool().Exec(t.Context(), "DELETE FROM river_job"); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.eventually("the backup is made", func() bool {
		r.sweep()
		b, err := r.db.Backup(t.Context(), lost, "")
		return err == nil && b.Status == db.BackupAvailable
	})
	if made := dbtest.Rows(t, r.db, "SELECT kind FROM river_job WHERE kind = 'backup_create'"); len(made) != 1 {
		t.Error(made)
	}
}

// The snapshot by which a node backs up a volume in use is its own, until the
// backup is gone or failed.
func TestSnapshotsOfBackups(t *testing.T) {
	t.Parallel()
	node := keeper("a", nodetest.NewStore("one"))
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) { o.Jobs.Grace = 50 * time.Millisecond }
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	kept := r.backUp(v.ID, false, nil)
	r.backupRests(kept, db.BackupAvailable)
	node.Break(nodetest.Fault{Method: "backup", Err: fault.New(fault.NoSpace, "full")})
	failed := r.backUp(v.ID, false, nil)
	r.backupRests(failed, db.BackupError)
	stranger := uuid.NewString()
	for _, id := range []string{kept, failed, stranger} {
		node.PutSnapshot(vg, id, v.ID, gib)
	}
	r.eventually("the failed one's goes", func() bool {
		r.sweep()
		_, has := node.Snapshots()[failed]
		return !has
	})
	node.Mend()
	if len(node.Snapshots()) != 2 {
		t.Error(node.Snapshots())
	}
	r.dropBackup(kept)
	r.dropBackup(failed)
	r.backupRests(kept, "deleted")
	r.backupRests(failed, "deleted")
	r.eventually("the deleted one's goes", func() bool {
		r.sweep()
		_, has := node.Snapshots()[kept]
		return !has
	})
	if _, has := node.Snapshots()[stranger]; !has {
		t.Error("what is nobody's was taken away")
	}
}

// What an administrator cancels rests as after any failure, and progress is noted.
func TestBackupIsCancelled(t *testing.T) {
	r, node, _, v := newBackupRig(t, func(o *scheduler.Options) { o.Jobs.FirstWait = 50 * time.Millisecond })
	done := r.backUp(v.ID, false, nil)
	r.backupRests(done, db.BackupAvailable)
	node.SetSlow(time.Minute)
	id := r.backUp(v.ID, false, nil)
	r.eventually("it has begun", func() bool { return r.jobAbout(id).Looks > 0 })
	if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(id).ID); err != nil {
		t.Fatal(err)
	}
	if b := r.backupRests(id, db.BackupError); !strings.Contains(*b.FailReason, "cancelled by the administrator") || r.read(v.ID).Status != "available" {
		t.Errorf("%+v", b)
	}
	if job := r.jobEnds(id); job.State != db.JobCancelled || job.Resource != "backup" {
		t.Errorf("%+v", job)
	}
	copied := r.restoreToNew(done, 1)
	r.eventually("it has begun", func() bool { return r.jobAbout(copied).Looks > 0 })
	if err := jobs.Cancel(t.Context(), r.db, r.jobAbout(copied).ID); err != nil {
		t.Fatal(err)
	}
	r.rests(copied, "error")
	r.backupRests(done, db.BackupAvailable)
	r.trueCounters()
}
