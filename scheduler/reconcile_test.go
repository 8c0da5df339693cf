package scheduler_test

import (
	"context"
	"expvar"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler/nodetest"
	"clinker/scheduler/reconcile"
	"clinker/volumed/rpc"
)

// sweep does every chore once; all rows count as left by the dead.
func (r *rig) sweep() {
	r.Helper()
	reconciler := &reconcile.Reconciler{DB: r.db, Nodes: r.network, DownTime: time.Minute}
	if err := reconciler.Sweep(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// attachment writes an attachment and, if granted, has the node let it in.
func (r *rig) attachment(v db.Volume, node *nodetest.Node, status, info string, granted bool) db.Attachment {
	r.Helper()
	ctx, host := r.Context(), "client"
	a := db.Attachment{ID: uuid.NewString(), VolumeID: v.ID, ProjectID: "p", UserID: "u", AttachStatus: status, Generation: 3,
		AttachedHost: &host, Connector: []byte(`{"initiator": "iqn.2024-01.test:client", "host": "client"}`)}
	if info != "" {
		a.ConnectionInfo = []byte(info)
	}
	err := r.db.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.InsertAttachment(ctx, &a); err != nil {
			return err
		}
		return tx.SettleAttachments(ctx, v.ID)
	})
	if err != nil {
		r.Fatal(err)
	}
	if granted {
		r.grant(node, v.ID, a.ID, a.Generation)
	}
	return a
}

func (r *rig) grant(node *nodetest.Node, volumeID, attachmentID string, generation int64) {
	r.Helper()
	_, err := node.Grant(r.Context(), rpc.Fence{OperationID: "grant", ResourceID: attachmentID, Generation: generation}, "lvm#vg", volumeID,
		rpc.Grant{AttachmentID: attachmentID, Initiator: "iqn.2024-01.test:client", Username: "name", Password: "word"})
	if err != nil {
		r.Fatal(err)
	}
}

// attachStatus gives an attachment's status, "" when it has ended.
func (r *rig) attachStatus(id string) string {
	a, _, err := r.db.AttachmentAndVolume(r.Context(), id, "")
	if err != nil {
		return ""
	}
	return a.AttachStatus
}

// oneVolume is a rig with a node and a volume on it, and no scheduler.
func oneVolume(t *testing.T) (*rig, *nodetest.Node, db.Volume) {
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	stop := r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	stop()
	return r, node, v
}

func TestLostJobsAreFound(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	lost := r.request(1, func(_ *db.Volume, args *db.VolumeCreateArgs) { args.Zones = []string{"elsewhere"} })
	if _, err := r.db.Pool().Exec(t.Context(), "UPDATE river_job SET state = 'discarded', finalized_at = now()"); err != nil {
		t.Fatal(err)
	}
	queued := r.request(1, nil)
	r.sweep()
	r.sweep() // the second finds the first's job
	if jobs := dbtest.Rows(t, r.db, "SELECT state::text FROM river_job ORDER BY id"); len(jobs) != 3 {
		t.Fatalf("jobs %v", jobs)
	}
	r.start()
	r.rests(queued.ID, "available")
	r.rests(lost.ID, "error") // its zone is not forgotten
}

func TestHalfAttached(t *testing.T) {
	t.Parallel()
	r, node, v := oneVolume(t)
	a := r.attachment(v, node, db.AttachAttaching, "", true)
	r.sweep()
	if status := r.attachStatus(a.ID); status != db.AttachErrorAttaching || len(node.Exported()) != 0 {
		t.Errorf("%s, exports %v", status, node.Exported())
	}
	if err := node.Revoke(t.Context(), rpc.Fence{OperationID: "late", ResourceID: a.ID, Generation: a.Generation}, "lvm#vg", v.ID); !fault.Is(err, fault.Stale) {
		t.Errorf("the API's late call: %v", err)
	}
}

func TestHalfDetached(t *testing.T) {
	t.Parallel()
	r, node, v := oneVolume(t)
	a := r.attachment(v, node, db.AttachDetaching, `{"auth_username": "name"}`, true)
	node.Break(nodetest.Fault{Method: "revoke", Err: fault.New(fault.Unavailable, "no")})
	r.sweep()
	if status := r.attachStatus(a.ID); status != db.AttachErrorDetaching || len(node.Exported()) != 1 {
		t.Errorf("%s, exports %v", status, node.Exported())
	}
	node.Mend()
	if r.sweep(); r.attachStatus(a.ID) != db.AttachErrorDetaching {
		t.Error("tried again before the node has answered a poll")
	}
	if _, err := r.db.Pool().Exec(t.Context(), "UPDATE pools SET polled_at = now()"); err != nil {
		t.Fatal(err)
	}
	r.sweep()
	if status := r.attachStatus(a.ID); status != "" || len(node.Exported()) != 0 {
		t.Errorf("%s, exports %v", status, node.Exported())
	}
	if v := r.read(v.ID); v.Status != "available" {
		t.Errorf("volume is %s", v.Status)
	}
}

func TestExportsFollowAttachments(t *testing.T) {
	t.Parallel()
	r, node, v := oneVolume(t)
	ended := r.attachment(v, node, db.AttachAttached, "", true)
	if err := r.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.FinishDetach(t.Context(), v.ID, ended.ID) }); err != nil {
		t.Fatal(err)
	}
	unknown := uuid.NewString()
	r.grant(node, v.ID, unknown, 1)
	lost := r.attachment(v, node, db.AttachAttached, `{"auth_username": "name", "auth_password": "word", "access_mode": "ro"}`, false)
	r.sweep()
	exported := node.Exported()
	if _, ok := exported[ended.ID]; ok {
		t.Error("a host whose attachment has ended may still log in")
	}
	if _, ok := exported[unknown]; !ok {
		t.Error("what the database never knew was revoked")
	}
	want := rpc.Grant{AttachmentID: lost.ID, Initiator: "iqn.2024-01.test:client", Username: "name", Password: "word", ReadOnly: true, VolumeGeneration: r.read(v.ID).Generation}
	if exported[lost.ID] != want {
		t.Errorf("not granted again: %#v", exported[lost.ID])
	}
	if v := r.read(v.ID); v.Status != "in-use" {
		t.Errorf("volume is %s", v.Status)
	}
}

func TestRemainsAreTakenAway(t *testing.T) {
	t.Parallel()
	a, b := nodetest.New("a").WithPool("lvm", "vg", 100*gib), nodetest.New("b").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, a, b)
	stop := r.start()
	kept, deleted := r.rests(r.request(1, nil).ID, "available"), r.rests(r.request(1, nil).ID, "available")
	r.delete(deleted.ID)
	r.rests(deleted.ID, "deleted")
	unplaced := r.rests(r.request(1000, nil).ID, "error")
	stop()
	other := map[bool]*nodetest.Node{true: b, false: a}[*kept.Host == "a@lvm#vg"]
	stranger := uuid.NewString()
	other.Put("lvm#vg", kept.ID, gib) // made late by a node that was given up
	a.Put("lvm#vg", deleted.ID, gib)
	b.Put("lvm#vg", unplaced.ID, gib)
	b.Put("lvm#vg", stranger, gib)
	r.eventually("b was polled", func() bool { pools, _ := r.db.Pools(t.Context()); return len(pools) == 2 })
	r.sweep()
	left := map[string]int{}
	for _, node := range []*nodetest.Node{a, b} {
		for id := range node.Volumes() {
			left[id]++
		}
	}
	if left[kept.ID] != 1 || left[stranger] != 1 || len(left) != 2 {
		t.Errorf("left %v", left)
	}
	if v := r.read(kept.ID); v.Status != "available" || v.Generation != kept.Generation+1 {
		t.Errorf("%+v", v)
	}
}

func TestLossRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	r, node, v := oneVolume(t)
	node.Lose("lvm#vg", v.ID)
	before := alarms("stored volumes")
	r.sweep()
	if alarms("stored volumes") == before {
		t.Error("nobody is told that a volume is not there")
	}
	if now := r.read(v.ID); now.Status != "available" || now.Generation != v.Generation {
		t.Errorf("changed silently: %+v", now)
	}
}

func alarms(chore string) int64 {
	if n, ok := reconcile.Alarms.Get(chore).(*expvar.Int); ok {
		return n.Value()
	}
	return 0
}

func TestRecount(t *testing.T) {
	t.Parallel()
	r, _, v := oneVolume(t)
	r.extendOnly(v.ID, 4)
	if q, p := r.recount(); len(q)+len(p) != 0 {
		t.Fatalf("%v %v", q, p)
	}
	exec := func(sql string) {
		if _, err := r.db.Pool().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("UPDATE quota_usages SET in_use = 7 WHERE resource = 'gigabytes'")
	exec("UPDATE pools SET volume_count = 3")
	r.sweep()
	q, p := r.recount()
	if len(q) != 1 || q[0].String() != "project p, gigabytes is counted as 7 and is 4" {
		t.Errorf("quota: %v", q)
	}
	if len(p) != 1 || p[0].String() != "pool a@lvm#vg, volumes is counted as 3 and is 1" {
		t.Errorf("pools: %v", p)
	}
}

// extendOnly is extend; the name says that no scheduler runs.
func (r *rig) extendOnly(id string, sizeGiB int) { r.extend(id, sizeGiB) }

func (r *rig) recount() (quota, pools []db.Difference) {
	r.Helper()
	ctx := context.Background()
	quota, err := r.db.RecountQuota(ctx)
	if err == nil {
		pools, err = r.db.RecountPools(ctx)
	}
	if err != nil {
		r.Fatal(err)
	}
	return quota, pools
}

func TestDeletionGoesOnWhenTheNodeIsBack(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.adjust = impatient
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	node.SetDown(true)
	r.delete(v.ID)
	r.rests(v.ID, "error_deleting")
	if m := r.messages(); len(m) != 1 || m[0].UserMessage() != "delete volume:An unknown error occurred. "+
		"The volume was not deleted: the storage node does not answer; the deletion goes on when it does." {
		t.Errorf("told %+v", m)
	}
	r.sweep()
	r.rests(v.ID, "error_deleting")
	node.Mend()
	polled := node.Calls("stats")
	r.eventually("two polls", func() bool { return node.Calls("stats") >= polled+2 })
	r.sweep()
	r.rests(v.ID, "deleted")
	if left := node.Volumes(); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestBusyDevice(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.start()
	freed, held := r.rests(r.request(1, nil).ID, "available"), r.rests(r.request(1, nil).ID, "available")
	busy := fault.New(fault.Busy, "something holds the device open")
	node.Break(nodetest.Fault{Method: "destroy", Resource: freed.ID, Err: busy, Times: 2})
	node.Break(nodetest.Fault{Method: "destroy", Resource: held.ID, Err: busy})
	r.delete(freed.ID)
	r.delete(held.ID)
	r.rests(freed.ID, "deleted")
	r.rests(held.ID, "available")
	if m := r.messages(); len(m) != 1 || *m[0].ResourceUUID != held.ID {
		t.Errorf("told %+v", m)
	}
}

// TestStrangers: what is exported for an attachment that the database does not know can
// be found and revoked, and nothing else is.
func TestStrangers(t *testing.T) {
	t.Parallel()
	r, node, v := oneVolume(t)
	known := r.attachment(v, node, db.AttachAttached, `{}`, true)
	f := rpc.Fence{OperationID: "x", ResourceID: uuid.NewString(), Generation: 7}
	if _, err := node.Grant(t.Context(), f, "lvm#vg", v.ID, rpc.Grant{AttachmentID: f.ResourceID}); err != nil {
		t.Fatal(err)
	}
	all, err := reconcile.Strangers(t.Context(), r.db, r.network)
	if err != nil || len(all) != 1 || all[0].AttachmentID != f.ResourceID || all[0].VolumeID != v.ID {
		t.Fatalf("%+v, %v", all, err)
	}
	node.SetDown(true)
	if some, err := reconcile.Strangers(t.Context(), r.db, r.network); err == nil || !strings.Contains(err.Error(), "a@lvm#vg") || len(some) != 0 {
		t.Errorf("of a node that is silent: %+v, %v", some, err)
	}
	node.SetDown(false)
	for range 2 { // it may be repeated
		if err := all[0].Revoke(t.Context(), r.network); err != nil {
			t.Error(err)
		}
	}
	all, err = reconcile.Strangers(t.Context(), r.db, r.network)
	if _, left := node.Exported()[known.ID]; err != nil || len(all) != 0 || !left {
		t.Errorf("after it was revoked: %+v, %v, %v", all, err, left)
	}
}
