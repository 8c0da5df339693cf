package scheduler_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

const vg = "lvm#vg"

// take asks for a snapshot, as the API does.
func (r *rig) take(volumeID string) string {
	r.Helper()
	s := db.Snapshot{ID: uuid.NewString(), VolumeID: volumeID, ProjectID: "p", UserID: "u"}
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := tx.InsertSnapshot(ctx, &s, []string{"available", "in-use"}, true, nil); err != nil {
			return err
		}
		return tx.Enqueue(ctx, db.SnapshotCreateArgs{SnapshotID: s.ID, Request: "req-snapshot"})
	})
	return s.ID
}

func (r *rig) dropSnapshot(id string) {
	r.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginSnapshotDelete(ctx, id, db.SnapshotForceDelete, "req-delete")
	})
}

// revert asks that a volume be as its snapshot is.
func (r *rig) revert(volumeID, snapshotID string) {
	r.Helper()
	s, err := r.db.Snapshot(r.Context(), snapshotID, "")
	if err != nil {
		r.Fatal(err)
	}
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginRevert(ctx, r.read(volumeID), s, "req-revert")
	})
}

// cascade asks for the end of a volume and its snapshots.
func (r *rig) cascade(volumeID string) {
	r.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.MoveVolume(ctx, volumeID, db.DeleteBegin, "", nil); err != nil {
			return err
		}
		if err := tx.CascadeDelete(ctx, volumeID, "req-delete"); err != nil {
			return err
		}
		return tx.Enqueue(ctx, db.VolumeDeleteArgs{VolumeID: volumeID, Request: "req-delete"})
	})
}

func (r *rig) tx(fn func(ctx context.Context, tx *db.Tx) error) {
	r.Helper()
	if err := r.db.Tx(r.Context(), func(tx *db.Tx) error { return fn(r.Context(), tx) }); err != nil {
		r.Fatal(err)
	}
}

// snapshotRests waits until the snapshot has the status; "deleted" means gone.
func (r *rig) snapshotRests(id, status string) db.Snapshot {
	r.Helper()
	var s db.Snapshot
	r.eventually("snapshot becomes "+status, func() bool {
		found, err := r.db.Snapshot(r.Context(), id, "")
		s = found
		return err != nil && status == "deleted" || err == nil && s.Status == status
	})
	return s
}

// trueCounters checks that quota and pools count what there is.
func (r *rig) trueCounters() {
	r.Helper()
	for _, recount := range []func(context.Context) ([]db.Difference, error){r.db.RecountQuota, r.db.RecountPools} {
		wrong, err := recount(r.Context())
		if err != nil || len(wrong) > 0 {
			r.Error(wrong, err)
		}
	}
}

func TestLifeOfASnapshot(t *testing.T) {
	t.Parallel()
	node := nodetest.New("node1").WithPool("lvm", "vg", 20*gib)
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(2, nil).ID, "available")
	node.Write(vg, v.ID, "old")
	s := r.snapshotRests(r.take(v.ID), "available")
	if s.ClaimedBytes != 2*gib || s.Progress != "100%" || node.Snapshots()[s.ID].Of != v.ID {
		t.Fatalf("%+v", s)
	}
	node.Write(vg, v.ID, "new")

	copied := r.rests(r.request(5, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.SnapshotID = &s.ID }).ID, "available")
	if got := node.Volumes()[copied.ID]; got != (nodetest.Volume{Pool: vg, Bytes: 5 * gib, Content: "old"}) {
		t.Errorf("made of the snapshot: %+v", got)
	}
	r.extend(v.ID, 3)
	r.rests(v.ID, "available")
	r.revert(v.ID, s.ID)
	r.rests(v.ID, "available")
	r.snapshotRests(s.ID, "available")
	if got := node.Volumes()[v.ID]; got != (nodetest.Volume{Pool: vg, Bytes: 3 * gib, Content: "old"}) {
		t.Errorf("reverted: %+v", got)
	}
	r.trueCounters()
	r.dropSnapshot(s.ID)
	r.snapshotRests(s.ID, "deleted")
	if len(node.Snapshots()) != 0 {
		t.Errorf("left on the node: %v", node.Snapshots())
	}
	r.trueCounters()
	if pools, err := r.db.Pools(t.Context()); err != nil || pools[0].AllocatedBytes != 8*gib {
		t.Errorf("pool %+v, %v", pools[0], err)
	}
}

func TestCopyGoesBesideItsSnapshot(t *testing.T) {
	t.Parallel()
	a, b := nodetest.New("a").WithPool("lvm", "vg", 100*gib), nodetest.New("b").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, a, b)
	r.start()
	r.eventually("both pools", func() bool { pools, _ := r.db.Pools(t.Context()); return len(pools) == 2 })
	v := r.rests(r.request(1, nil).ID, "available")
	s := r.snapshotRests(r.take(v.ID), "available")
	for range 3 {
		made := r.rests(r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.SnapshotID = &s.ID }).ID, "available")
		if *made.Host != *v.Host {
			t.Errorf("the snapshot is at %s, its copy at %s", *v.Host, *made.Host)
		}
	}
	gone := uuid.NewString()
	r.rests(r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.SnapshotID = &gone }).ID, "error")
	if text := r.messages()[0].UserMessage(); !strings.Contains(text, "The snapshot "+gone+" is gone.") {
		t.Errorf("told %q", text)
	}
}

func TestSnapshotsThatFail(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib)
	r := newRig(t, node)
	r.adjust = impatient
	r.start()
	big := r.rests(r.request(6, nil).ID, "available")
	s := r.snapshotRests(r.take(big.ID), "error")
	small := r.rests(r.request(1, nil).ID, "available")
	node.Break(nodetest.Fault{Method: "snapshot", After: true, Err: fault.New(fault.Unavailable, "the service does not answer")})
	silent := r.snapshotRests(r.take(small.ID), "error")
	told := map[string]string{}
	for _, m := range r.messages() {
		if m.EventID != "VOLUME_VOLUME_SNAPSHOT_009_013" || *m.RequestID != "req-snapshot" {
			t.Errorf("message %+v", m)
		}
		told[*m.ResourceUUID] = m.UserMessage()
	}
	const begin = "create snapshot:Snapshot failed to create. "
	if told[s.ID] != begin+"The volume's pool has no room for a snapshot of it." {
		t.Errorf("told %q", told[s.ID])
	}
	if told[silent.ID] != begin+"The snapshot was not taken: the storage node does not answer." {
		t.Errorf("told %q", told[silent.ID])
	}
	r.trueCounters()
	// The node has made it all the same.
	if len(node.Snapshots()) != 1 {
		t.Fatalf("on the node: %v", node.Snapshots())
	}
	node.Mend()
	r.sweep()
	if len(node.Snapshots()) != 0 {
		t.Errorf("left on the node: %v", node.Snapshots())
	}
	for _, id := range []string{s.ID, silent.ID} {
		r.dropSnapshot(id)
		r.snapshotRests(id, "deleted")
	}
	r.trueCounters()
}

func TestSnapshotOfABusyVolume(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib)
	node.Break(nodetest.Fault{Method: "snapshot", Times: 2, Err: fault.New(fault.Busy, "the volume is being written to")})
	node.Break(nodetest.Fault{Method: "destroy_snapshot", Err: fault.New(fault.Busy, "the snapshot is in use")})
	node.Break(nodetest.Fault{Method: "revert", Times: 2, Err: fault.New(fault.Busy, "the volume is in use")})
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	s := r.snapshotRests(r.take(v.ID), "available")
	r.revert(v.ID, s.ID)
	r.rests(v.ID, "available")
	r.dropSnapshot(s.ID)
	r.eventually("the user is told", func() bool { return len(r.messages()) == 1 })
	if r.snapshotRests(s.ID, "available"); r.messages()[0].EventID != "VOLUME_VOLUME_SNAPSHOT_010_015" {
		t.Errorf("message %+v", r.messages()[0])
	}
}

func TestCascade(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib)
	r := newRig(t, node)
	r.adjust = impatient
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	first, second := r.take(v.ID), r.take(v.ID)
	r.snapshotRests(first, "available")
	r.snapshotRests(second, "available")
	node.Break(nodetest.Fault{Method: "destroy_snapshot", Resource: second, Err: fault.New(fault.Unavailable, "the service does not answer")})
	r.cascade(v.ID)
	r.snapshotRests(first, "deleted")
	r.snapshotRests(second, "error_deleting")
	r.rests(v.ID, "error_deleting")
	if node.Calls("destroy") != 0 {
		t.Error("the volume was destroyed before its snapshots")
	}
	node.Mend()
	r.eventually("all goes on when the node is back", func() bool {
		r.sweep()
		return len(node.Volumes())+len(node.Snapshots()) == 0
	})
	r.rests(v.ID, "deleted")
	r.trueCounters()
}

func TestCopiesKeepTheirSnapshot(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib)
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	s := r.snapshotRests(r.take(v.ID), "available")
	node.SetSlow(300 * time.Millisecond)
	copied := r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.SnapshotID = &s.ID })
	r.dropSnapshot(s.ID)
	r.snapshotRests(s.ID, "deleted")
	r.rests(copied.ID, "available")
}

func TestRevertsThatFail(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib)
	r := newRig(t, node)
	r.adjust = impatient
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	node.Write(vg, v.ID, "old")
	s := r.snapshotRests(r.take(v.ID), "available")
	node.Write(vg, v.ID, "new")
	node.Break(nodetest.Fault{Method: "revert", Err: fault.New(fault.Unavailable, "the service does not answer")})
	r.revert(v.ID, s.ID)
	r.rests(v.ID, "error")
	r.snapshotRests(s.ID, "available")
	node.Mend()
	r.eventually("it goes on when the node is back", func() bool {
		r.sweep()
		return node.Volumes()[v.ID].Content == "old"
	})
	r.rests(v.ID, "available")
	r.snapshotRests(s.ID, "available")

	r.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.MoveSnapshot(ctx, s.ID, db.SnapshotRestoreBegin, "", nil)
		return err
	})
	r.sweep() // nobody reverts the volume
	r.snapshotRests(s.ID, "available")

	node.LoseSnapshot(vg, s.ID)
	r.revert(v.ID, s.ID)
	r.rests(v.ID, "error")
	messages := r.messages()
	want := "revert volume to a snapshot:An unknown error occurred. The volume was not reverted, or only in part: there is no snapshot " + s.ID + "."
	if got := messages[len(messages)-1].UserMessage(); got != want {
		t.Errorf("told %q", got)
	}
}

// A thick volume with snapshots cannot grow while it is attached.
func TestExtensionRefusedByTheNode(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib)
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	node.Break(nodetest.Fault{Method: "extend", Err: fault.New(fault.Busy, "it has snapshots, and can grow only while it is not attached")})
	r.extend(v.ID, 2)
	if got := r.rests(v.ID, "available"); got.SizeGiB != 1 || got.ClaimedBytes != gib {
		t.Errorf("%+v", got)
	}
	if text := r.messages()[0].UserMessage(); !strings.HasSuffix(text, "it has snapshots, and can grow only while it is not attached.") {
		t.Errorf("told %q", text)
	}
}

func TestSnapshotWorkIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	r, node, v := oneVolume(t)
	node.Write(vg, v.ID, "old")
	making := r.take(v.ID)
	r.lose()
	r.sweep()
	stop := r.start()
	s := r.snapshotRests(making, "available")
	stop()

	node.Write(vg, v.ID, "new")
	r.revert(v.ID, s.ID)
	r.lose()
	r.sweep()
	stop = r.start()
	if r.rests(v.ID, "available"); node.Volumes()[v.ID].Content != "old" {
		t.Errorf("%+v", node.Volumes()[v.ID])
	}
	stop()

	r.dropSnapshot(s.ID)
	r.lose()
	r.sweep()
	r.start()
	r.snapshotRests(s.ID, "deleted")
	r.trueCounters()
}

// lose takes all jobs away.
func (r *rig) lose() {
	r.Helper()
	if _, err := r.db.Pool().Exec(r.Context(), "DELETE FROM river_job"); err != nil {
		r.Fatal(err)
	}
}

func TestStoredSnapshotsAreCompared(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	kept := r.snapshotRests(r.take(v.ID), "available")
	gone := r.snapshotRests(r.take(v.ID), "available")
	r.dropSnapshot(gone.ID)
	r.snapshotRests(gone.ID, "deleted")
	stranger := uuid.NewString()
	node.PutSnapshot(vg, gone.ID, v.ID, gib)
	node.PutSnapshot(vg, stranger, v.ID, gib)
	r.sweep()
	left := node.Snapshots()
	if _, ok := left[gone.ID]; ok || len(left) != 2 {
		t.Errorf("left %v", left)
	}
	before := alarms("stored snapshots")
	node.LoseSnapshot(vg, kept.ID)
	r.sweep()
	if alarms("stored snapshots") == before {
		t.Error("nobody was told of a snapshot that is lost")
	}
}

func TestLostAnswersOfSnapshots(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	node.SetSlow(100 * time.Millisecond)
	for _, method := range []string{"snapshot", "revert", "destroy_snapshot"} {
		node.Break(nodetest.Fault{Method: method, After: true, Times: 2, Err: fault.New(fault.Timeout, "lost")})
	}
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) { o.Jobs.FirstWait = time.Millisecond }
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	s := r.snapshotRests(r.take(v.ID), "available")
	r.revert(v.ID, s.ID)
	r.rests(v.ID, "available")
	r.dropSnapshot(s.ID)
	r.snapshotRests(s.ID, "deleted")
	if len(node.Snapshots()) != 0 {
		t.Errorf("left %v", node.Snapshots())
	}
}
