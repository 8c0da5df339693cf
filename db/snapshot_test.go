package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
)

const gib = int64(1) << 30

// stage is a database with one pool of 100 GiB.
type stage struct {
	testing.TB
	*db.DB
	pool string
}

func newStage(t testing.TB, thin bool) *stage {
	d := dbtest.Open(t)
	id, err := d.Heartbeat(t.Context(), db.Service{Host: "node@lvm", Daemon: db.DaemonVolume, AvailabilityZone: "nova", Endpoint: "https://127.0.0.1:1"})
	if err == nil {
		err = d.RecordPoll(t.Context(), db.Pool{ServiceID: id, Name: "node@lvm#vg", AvailabilityZone: "nova", Thin: thin,
			TotalBytes: 100 * gib, FreeBytes: 100 * gib, MaxOverSubscriptionRatio: 1, StorageProtocol: "iSCSI"})
	}
	if err != nil {
		t.Fatal(err)
	}
	pools, err := d.Pools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &stage{t, d, pools[0].ID}
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stage) tx(fn func(ctx context.Context, tx *db.Tx) error) error {
	return s.Tx(s.Context(), func(tx *db.Tx) error { return fn(s.Context(), tx) })
}

// placed is an available volume in the pool.
func (s *stage) placed(sizeGiB int) db.Volume {
	s.Helper()
	v, err := newVolume(s.Context(), s.DB, "p", sizeGiB, nil)
	s.must(err)
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.MoveVolume(ctx, v.ID, db.CreateDone, "", map[string]any{"pool_id": s.pool, "host": "node@lvm#vg"})
		return err
	}))
	_, err = s.DB.Pool().Exec(s.Context(), `WITH v AS (UPDATE volumes SET claimed_bytes = $1 WHERE id = $2)
		UPDATE pools SET allocated_bytes = allocated_bytes + $1, volume_count = volume_count + 1`, int64(sizeGiB)*gib, v.ID)
	s.must(err)
	return s.volume(v.ID)
}

func (s *stage) volume(id string) db.Volume {
	s.Helper()
	v, err := s.Volume(s.Context(), id, "")
	s.must(err)
	return v
}

func (s *stage) snapshot(id string) db.Snapshot {
	s.Helper()
	snap, err := s.Snapshot(s.Context(), id, "")
	s.must(err)
	return snap
}

// begin asks for a snapshot as the API does.
func (s *stage) begin(volumeID string, limits db.Limits, statuses ...string) (db.Snapshot, error) {
	snap := db.Snapshot{ID: uuid.NewString(), VolumeID: volumeID, ProjectID: "p", UserID: "u"}
	return snap, s.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := tx.InsertSnapshot(ctx, &snap, append(statuses, "available"), true, limits); err != nil {
			return err
		}
		return tx.Enqueue(ctx, db.SnapshotCreateArgs{SnapshotID: snap.ID})
	})
}

// taken is an available snapshot.
func (s *stage) taken(volumeID string) db.Snapshot {
	s.Helper()
	snap, err := s.begin(volumeID, nil)
	s.must(err)
	fits, err := s.ClaimSnapshot(s.Context(), snap)
	if err != nil || !fits {
		s.Fatal(fits, err)
	}
	s.must(s.FinishSnapshot(s.Context(), snap))
	return s.snapshot(snap.ID)
}

// recounted checks that every counter is what the rows say.
func (s *stage) recounted() {
	s.Helper()
	for _, recount := range []func(context.Context) ([]db.Difference, error){s.RecountQuota, s.RecountPools} {
		wrong, err := recount(s.Context())
		s.must(err)
		for _, d := range wrong {
			s.Error(d)
		}
	}
}

func (s *stage) allocated() int64 {
	s.Helper()
	pools, err := s.Pools(s.Context())
	s.must(err)
	return pools[0].AllocatedBytes
}

func (s *stage) used(resource string) int {
	s.Helper()
	set, err := s.QuotaSet(s.Context(), "p", []string{resource}, nil)
	s.must(err)
	return set[resource].InUse
}

func TestSnapshotLife(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	v := s.placed(2)
	snap := s.taken(v.ID)
	if snap.Status != "available" || snap.SizeGiB != 2 || snap.Progress != "100%" || *snap.PoolID != s.pool || snap.Generation != 2 {
		t.Fatalf("%+v", snap)
	}
	if s.used("snapshots") != 1 || s.used("snapshots___DEFAULT__") != 1 || s.used("gigabytes") != 4 || s.allocated() != 4*gib {
		t.Errorf("quota %d, %d GiB, pool %d", s.used("snapshots"), s.used("gigabytes"), s.allocated())
	}
	s.recounted()
	for range 2 {
		err := s.tx(func(ctx context.Context, tx *db.Tx) error {
			return tx.BeginSnapshotDelete(ctx, snap.ID, db.SnapshotDeleteBegin, "r")
		})
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
	}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishSnapshotDelete(ctx, snap) }))
	if s.used("snapshots") != 0 || s.used("gigabytes") != 2 || s.allocated() != 2*gib {
		t.Errorf("quota %d, %d GiB, pool %d", s.used("snapshots"), s.used("gigabytes"), s.allocated())
	}
	s.recounted()
	history := dbtest.Rows(t, s.DB, "SELECT status FROM snapshot_history WHERE snapshot_id = $1 ORDER BY generation", snap.ID)
	if len(history) != 4 {
		t.Errorf("history %v", history)
	}
	jobs := dbtest.Rows(t, s.DB, "SELECT kind FROM river_job WHERE kind LIKE 'snapshot%' ORDER BY id")
	if len(jobs) != 2 || jobs[1] != "snapshot_delete" {
		t.Errorf("jobs %v", jobs)
	}
}

func TestSnapshotRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	v := s.placed(2)
	if _, err := s.begin(v.ID, db.Limits{db.QuotaSnapshots: 0}); !fault.Is(err, fault.OverQuota) {
		t.Errorf("over the number: %v", err)
	}
	if _, err := s.begin(v.ID, db.Limits{db.QuotaGigabytes: 3}); !fault.Is(err, fault.OverQuota) {
		t.Errorf("over the size: %v", err)
	}
	if _, err := s.begin(uuid.NewString(), nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("no volume: %v", err)
	}
	unplaced, err := newVolume(t.Context(), s.DB, "p", 1, nil)
	s.must(err)
	if _, err := s.begin(unplaced.ID, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("a volume that is being made: %v", err)
	}
	s.recounted()
	big := s.placed(60)
	snap, err := s.begin(big.ID, nil)
	s.must(err)
	if fits, err := s.ClaimSnapshot(t.Context(), snap); err != nil || fits {
		t.Errorf("62 GiB and 60 more were claimed of 100: %v", err)
	}
	if err := s.extend(big, 70); !fault.Is(err, fault.Conflict) {
		t.Errorf("extended while a snapshot is taken: %v", err)
	}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FailSnapshot(ctx, snap, "no room") }))
	s.must(s.extend(big, 70))
	s.recounted()
}

func (s *stage) extend(v db.Volume, sizeGiB int) error {
	return s.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginExtend(ctx, v, db.ExtendBegin, sizeGiB, "r", nil)
	})
}

func TestCascade(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	v := s.placed(1)
	a, b := s.taken(v.ID), s.taken(v.ID)
	cascade := func() error {
		return s.tx(func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.MoveVolume(ctx, v.ID, db.DeleteBegin, "", nil); err != nil {
				return err
			}
			return tx.CascadeDelete(ctx, v.ID, "r")
		})
	}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.MoveSnapshot(ctx, a.ID, db.ResetTo("backing-up"), "", nil)
		return err
	}))
	if err := cascade(); !fault.Is(err, fault.Conflict) || s.volume(v.ID).Status != "available" || s.snapshot(b.ID).Status != "available" {
		t.Fatalf("one is busy: %v", err)
	}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.MoveSnapshot(ctx, a.ID, db.ResetTo("error"), "", nil)
		return err
	}))
	s.must(cascade())
	if left, err := s.SnapshotsLeft(t.Context(), v.ID, ""); err != nil || left.All != 2 || left.Deleting != 2 {
		t.Errorf("%+v, %v", left, err)
	}
}

func TestRevertIsOfTheNewest(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	v := s.placed(1)
	old := s.taken(v.ID)
	revert := func(snap db.Snapshot) error {
		return s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.BeginRevert(ctx, v, snap, "r") })
	}
	newest := s.taken(v.ID)
	if latest, err := s.LatestSnapshot(t.Context(), v.ID); err != nil || latest.ID != newest.ID {
		t.Fatalf("latest %+v, %v", latest, err)
	}
	if err := revert(old); !fault.Is(err, fault.Invalid) {
		t.Errorf("to an older one: %v", err)
	}
	s.must(revert(newest))
	if err := revert(newest); !fault.Is(err, fault.Conflict) {
		t.Errorf("twice: %v", err)
	}
	if _, err := s.begin(v.ID, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("a snapshot meanwhile: %v", err)
	}
	restoring, err := s.RestoringSnapshot(t.Context(), v.ID)
	if err != nil || restoring.ID != newest.ID {
		t.Fatalf("%+v, %v", restoring, err)
	}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.EndRevert(ctx, s.volume(v.ID), db.RevertFailed, "silent")
	}))
	if s.volume(v.ID).Status != "error" || s.snapshot(newest.ID).Status != "available" {
		t.Errorf("volume %s, snapshot %s", s.volume(v.ID).Status, s.snapshot(newest.ID).Status)
	}
	_, err = s.DB.Pool().Exec(t.Context(), "UPDATE pools SET polled_at = now() + interval '1 second'")
	s.must(err)
	interrupted, err := s.InterruptedReverts(t.Context(), "silent", 10)
	if err != nil || len(interrupted) != 1 {
		t.Fatalf("%v, %v", interrupted, err)
	}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.ResumeRevert(ctx, interrupted[0]) }))
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.EndRevert(ctx, s.volume(v.ID), db.RevertDone, "")
	}))
	if s.volume(v.ID).Status != "available" || s.snapshot(newest.ID).Status != "available" {
		t.Errorf("volume %s, snapshot %s", s.volume(v.ID).Status, s.snapshot(newest.ID).Status)
	}
}

func TestLostSnapshotJobs(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	v := s.placed(1)
	deleting := s.taken(v.ID)
	making, err := s.begin(v.ID, nil)
	s.must(err)
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginSnapshotDelete(ctx, deleting.ID, db.SnapshotDeleteBegin, "r")
	}))
	if lost, err := s.LostSnapshots(t.Context(), 0, 10); err != nil || len(lost) != 0 {
		t.Fatalf("with their jobs: %v, %v", lost, err)
	}
	_, err = s.DB.Pool().Exec(t.Context(), "DELETE FROM river_job")
	s.must(err)
	if lost, err := s.LostSnapshots(t.Context(), time.Hour, 10); err != nil || len(lost) != 0 {
		t.Fatalf("too early: %v, %v", lost, err)
	}
	lost, err := s.LostSnapshots(t.Context(), 0, 10)
	if err != nil || len(lost) != 2 {
		t.Fatalf("%v, %v", lost, err)
	}
	for _, l := range lost {
		s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.SnapshotAgain(ctx, l) }))
	}
	jobs := dbtest.Rows(t, s.DB, "SELECT kind || ' ' || (args ->> 'snapshot_id') FROM river_job ORDER BY kind")
	if len(jobs) != 2 || jobs[0] != "snapshot_create "+making.ID || jobs[1] != "snapshot_delete "+deleting.ID {
		t.Errorf("jobs %v", jobs)
	}
}

// TestSnapshotGoesBesideItsVolumesGrowth: who extends a volume has the volume and then
// wants the pool. Who has the pool, since a snapshot goes, must not want the volume.
func TestSnapshotGoesBesideItsVolumesGrowth(t *testing.T) {
	t.Parallel()
	s := newStage(t, false)
	v := s.placed(1)
	snap := s.taken(v.ID)
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginSnapshotDelete(ctx, snap.ID, db.SnapshotDeleteBegin, "req")
	}))
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.LockVolume(ctx, v.ID); err != nil {
			return err
		}
		patience, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		return s.Tx(patience, func(tx *db.Tx) error { return tx.FinishSnapshotDelete(patience, snap) })
	}))
	s.recounted()
}
