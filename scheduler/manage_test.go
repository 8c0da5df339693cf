package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// adopt asks that a volume be made of what lies in a pool, as the API does.
func (r *rig) adopt(reference string) string {
	r.Helper()
	kind, err := r.db.VolumeTypeByName(r.Context(), "__DEFAULT__", "")
	if err != nil {
		r.Fatal(err)
	}
	pools, err := r.db.Pools(r.Context())
	if err != nil || len(pools) == 0 {
		r.Fatal(pools, err)
	}
	p := pools[0]
	v := db.Volume{ID: uuid.NewString(), ProjectID: "p", UserID: "u", VolumeTypeID: kind.ID, AvailabilityZone: "nova",
		Host: &p.Name, ServiceID: &p.ServiceID, RequestID: "req-manage"}
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertManaged(ctx, &v, p.ID, reference, nil) })
	return v.ID
}

func (r *rig) adoptSnapshot(volumeID, reference string) string {
	r.Helper()
	s := db.Snapshot{ID: uuid.NewString(), VolumeID: volumeID, ProjectID: "p", UserID: "u", RequestID: "req-manage"}
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.InsertManagedSnapshot(ctx, &s, reference, []string{"available"}, true, nil)
	})
	return s.ID
}

func (r *rig) letGo(id string) {
	r.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.BeginUnmanage(ctx, id, "no", "req-unmanage") })
}

func TestManage(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 20*gib)
	r := newRig(t, node)
	r.start()
	node.PutStranger("data", nodetest.Stranger{Volume: nodetest.Volume{Pool: vg, Bytes: gib + 1, Content: "mine"}})
	v := r.rests(r.adopt("data"), "available")
	if got := node.Volumes()[v.ID]; v.SizeGiB != 2 || got != (nodetest.Volume{Pool: vg, Bytes: 2 * gib, Content: "mine"}) {
		t.Fatalf("%d GiB, %+v", v.SizeGiB, got)
	}
	node.PutStranger("of yesterday", nodetest.Stranger{Volume: nodetest.Volume{Pool: vg, Bytes: gib, Content: "older"}, Origin: "volume-" + v.ID})
	s := r.snapshotRests(r.adoptSnapshot(v.ID, "of yesterday"), "available")
	if s.SizeGiB != 1 || s.QuotaGiB != 1 || node.Snapshots()[s.ID].Content != "older" {
		t.Fatalf("%+v", s)
	}
	r.trueCounters()

	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.BeginSnapshotUnmanage(ctx, s.ID, "req-unmanage") })
	r.snapshotRests(s.ID, "deleted")
	r.letGo(v.ID)
	r.rests(v.ID, "deleted")
	r.sweep() // does not take what was let go for remains
	if node.Volumes()[v.ID].Content != "mine" || node.Snapshots()[s.ID].Content != "older" {
		t.Errorf("lost: %v %v", node.Volumes(), node.Snapshots())
	}
	r.trueCounters()

	node.PutStranger("again", nodetest.Stranger{Volume: nodetest.Volume{Pool: vg, Bytes: gib}})
	again := r.rests(r.adopt("again"), "available")
	r.delete(again.ID)
	r.rests(again.ID, "deleted")
	if _, left := node.Volumes()[again.ID]; left {
		t.Error("what was managed and is deleted is left")
	}
	r.trueCounters()
}

func TestManageFails(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 20*gib)
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) {
		impatient(o)
		o.Jobs.Limits = db.Limits{db.QuotaGigabytes: 5}
	}
	r.start()
	for reference, s := range map[string]nodetest.Stranger{
		"large": {Volume: nodetest.Volume{Pool: vg, Bytes: 6 * gib}},
		"open":  {Volume: nodetest.Volume{Pool: vg, Bytes: gib}, Open: true},
		"other": {Volume: nodetest.Volume{Pool: vg, Bytes: gib}, Origin: "volume-x"},
		"fine":  {Volume: nodetest.Volume{Pool: vg, Bytes: gib, Content: "mine"}},
	} {
		node.PutStranger(reference, s)
	}
	for reference, why := range map[string]string{
		"large": "create volume from backend storage:Not enough quota resource for operation. The volume is not managed: the project's quota does not allow its size.",
		"open":  "The volume is not managed: open cannot be managed: it is in use.",
		"other": "The volume is not managed: it is a snapshot and no volume.",
		"none":  "The volume is not managed: there is no none in the pool.",
	} {
		v := r.rests(r.adopt(reference), "error_managing")
		messages := r.messages()
		if last := messages[len(messages)-1].UserMessage(); !strings.HasSuffix(last, why) {
			t.Errorf("%s: told %q", reference, last)
		}
		r.delete(v.ID)
		r.rests(v.ID, "deleted")
	}
	if left := node.Strangers(); len(left) != 4 {
		t.Errorf("left: %v", left)
	}
	r.trueCounters()

	// The node has given it its name, and nobody hears of it: deleting gives it back.
	node.Break(nodetest.Fault{Method: "manage", Err: fault.New(fault.Invalid, "lost"), After: true})
	v := r.rests(r.adopt("fine"), "error_managing")
	if node.Volumes()[v.ID].Content != "mine" {
		t.Fatalf("%+v", node.Volumes())
	}
	node.Mend()
	r.sweep()
	r.delete(v.ID)
	r.rests(v.ID, "deleted")
	r.sweep()
	if node.Strangers()["fine"].Content != "mine" || len(node.Volumes()) != 0 {
		t.Errorf("%+v %+v", node.Strangers(), node.Volumes())
	}
}

func TestManagingGoesOnWhenTheNodeIsBack(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 20*gib)
	r := newRig(t, node)
	r.adjust = impatient
	r.start()
	node.PutStranger("data", nodetest.Stranger{Volume: nodetest.Volume{Pool: vg, Bytes: gib}})
	v := r.rests(r.request(1, nil).ID, "available")
	s := r.snapshotRests(r.take(v.ID), "available")
	free := r.rests(r.request(1, nil).ID, "available")
	node.SetDown(true)
	adopted := r.adopt("data")
	r.letGo(free.ID)
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.BeginSnapshotUnmanage(ctx, s.ID, "req-unmanage") })
	r.rests(adopted, "error_managing")
	r.rests(free.ID, "error_unmanaging")
	r.snapshotRests(s.ID, "error")
	node.Mend()
	polled := node.Calls("stats")
	r.eventually("two polls", func() bool { return node.Calls("stats") >= polled+2 })
	r.sweep()
	r.rests(adopted, "available")
	r.rests(free.ID, "deleted")
	r.snapshotRests(s.ID, "deleted")
	r.trueCounters()
}

// TestManagingIsKilledAtAnyInstant: each stranger is in the end a volume, or is
// where it was with what it held.
func TestManagingIsKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 200*gib)
	r, chance := newKillRig(t, node)
	const many = 40
	for i := range many {
		name := fmt.Sprintf("data%d", i)
		node.PutStranger(name, nodetest.Stranger{Volume: nodetest.Volume{Pool: vg, Bytes: gib - 1, Content: name}})
	}
	var ids []string
	for i := range many {
		ids = append(ids, r.adopt(fmt.Sprintf("data%d", i)))
		if i%8 == 3 {
			node.Break(nodetest.Fault{Method: "manage", Err: fault.New(fault.Timeout, "lost"), After: true, Times: 2})
			r.delete(ids[i-chance.IntN(4)])
			time.Sleep(time.Duration(chance.IntN(40)) * time.Millisecond) // to be somewhere in the middle
			r.kill()
		}
	}
	node.Mend()
	r.eventually("all rests", func() bool {
		moving := dbtest.Rows(r, r.db, "SELECT status FROM volumes WHERE deleted_at IS NULL AND status NOT IN ('available', 'error_managing')")
		if len(moving) > 0 {
			r.sweep()
		}
		return len(moving) == 0
	})
	r.sweep()
	r.trueCounters()
	managed := dbtest.Rows(r, r.db, "SELECT id::text FROM volumes WHERE deleted_at IS NULL AND status = 'available'")
	for _, id := range managed {
		if node.Volumes()[id].Content == "" {
			t.Errorf("%s is empty or missing", id)
		}
	}
	if there := len(node.Volumes()) + len(node.Strangers()); there > many || len(managed) == 0 {
		t.Errorf("%d things of %d, %d managed", there, many, len(managed))
	}
	for name, s := range node.Strangers() {
		if s.Content != name {
			t.Errorf("%s holds %q", name, s.Content)
		}
	}
}
