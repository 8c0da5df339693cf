package scheduler_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

// slow is a type of volumes that the storage limits to 10 reads a second per GiB.
func (r *rig) slow(name string) db.VolumeType {
	r.Helper()
	k := r.kind(name, nil)
	q := db.QosSpecs{ID: uuid.NewString(), Name: name, Consumer: db.ConsumerBackEnd, Specs: db.StringMap{"read_iops_sec_per_gb": "10"}}
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return errors.Join(tx.InsertQosSpecs(ctx, &q), tx.Associate(ctx, q, k.ID))
	})
	return k
}

// Limits follow a volume in use: to the type that it gets, to the size that it
// grows to, and back to a node that had lost it.
func TestLimitsFollowTheVolume(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	node.Change(vg, func(p *rpc.Pool) { p.Capabilities = map[string]string{"QoS_support": "True"} })
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	free := db.VolumeType{ID: v.VolumeTypeID, Name: v.VolumeType}
	a := r.attachment(v, node, db.AttachAttached, `{"auth_username": "name", "auth_password": "word", "access_mode": "rw"}`, true)
	reads := func(what string, want int64) {
		t.Helper()
		g := node.Exported()[a.ID]
		if now := r.read(v.ID); g.Limits != (rpc.Limits{ReadIopsSec: want}) || g.VolumeGeneration > now.Generation {
			t.Errorf("%s: %+v of generation %d, the row has %d", what, g.Limits, g.VolumeGeneration, now.Generation)
		}
	}
	reads("at first", 0)
	r.retype(v.ID, r.slow("slow"), db.MigrateNever)
	v = r.rests(v.ID, "in-use")
	reads("retyped", 10)
	r.extend(v.ID, 3)
	v = r.rests(v.ID, "in-use")
	reads("extended", 30)
	calls := node.Calls("limit")
	r.retype(v.ID, free, db.MigrateNever)
	r.rests(v.ID, "in-use")
	reads("retyped again", 0)
	r.extend(v.ID, 4)
	r.rests(v.ID, "in-use")
	if now := node.Calls("limit"); now != calls+1 {
		t.Errorf("%d calls for what changes no limit", now-calls-1)
	}
}

// A node that lost its journal is told the limits with the grants.
func TestLimitsAreGrantedAgain(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	node.Change(vg, func(p *rpc.Pool) { p.Capabilities = map[string]string{"QoS_support": "True"} })
	r := newRig(t, node)
	stop := r.start()
	k := r.slow("slow")
	v := r.rests(r.request(2, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.VolumeTypeID, v.VolumeType = k.ID, k.Name }).ID, "available")
	stop()
	a := r.attachment(v, node, db.AttachAttached, `{"auth_username": "name", "auth_password": "word", "access_mode": "rw"}`, false)
	r.sweep()
	if g := node.Exported()[a.ID]; g.Limits != (rpc.Limits{ReadIopsSec: 20}) || g.VolumeGeneration == 0 {
		t.Errorf("%+v", g)
	}
}
