package scheduler_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

// kind makes a volume type.
func (r *rig) kind(name string, specs db.StringMap) db.VolumeType {
	r.Helper()
	k := db.VolumeType{ID: uuid.NewString(), Name: name, IsPublic: true, ExtraSpecs: specs}
	r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertVolumeType(ctx, &k) })
	return k
}

// retype asks for another type, as the API does.
func (r *rig) retype(id string, to db.VolumeType, policy string) {
	r.Helper()
	v := r.read(id)
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginRetype(ctx, v, to, policy, "req-retype", nil)
	})
}

// limited gives a type QoS specs.
func (r *rig) limited(k db.VolumeType, consumer string) db.VolumeType {
	r.Helper()
	q := db.QosSpecs{ID: uuid.NewString(), Name: k.Name, Consumer: consumer, Specs: db.StringMap{"total_iops_sec": "100"}}
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := tx.InsertQosSpecs(ctx, &q); err != nil {
			return err
		}
		return tx.Associate(ctx, q, k.ID)
	})
	return k
}

func TestRetype(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	node.Change(vg, func(p *rpc.Pool) {
		p.Capabilities = map[string]string{"volume_backend_name": "lvm", "multiattach": "False"}
	})
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(2, nil).ID, "available")
	snap := r.snapshotRests(r.take(v.ID), "available")
	gold := r.limited(r.kind("gold", db.StringMap{"volume_backend_name": "lvm", "multiattach": "<is> False", "capabilities:pool_name": "vg"}), "both")
	before := node.Volumes()[v.ID]
	r.retype(v.ID, gold, db.MigrateNever)
	if v = r.rests(v.ID, "available"); v.VolumeType != "gold" {
		t.Errorf("%+v, %v", v, r.messages())
	}
	if s := r.snapshotRests(snap.ID, "available"); s.VolumeTypeID != gold.ID {
		t.Errorf("%+v", s)
	}
	if node.Volumes()[v.ID] != before {
		t.Error("a retype in place touches nothing on the node")
	}
	r.trueCounters()
}

func TestRetypeThatDoesNotFit(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(2, nil).ID, "available")
	old := v.VolumeTypeID
	encrypted := r.kind("encrypted", nil)
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.InsertTypeEncryption(ctx, &db.TypeEncryption{VolumeTypeID: encrypted.ID, EncryptionID: uuid.NewString(), Provider: "luks", ControlLocation: "front-end"})
	})
	encrypted.Encrypted = true
	for _, c := range []struct {
		to     db.VolumeType
		policy string
		told   []string
	}{
		{r.kind("other", db.StringMap{"volume_backend_name": "ceph"}), db.MigrateNever, []string{"does not serve the type (CapabilitiesFilter)", "requires migration but is not allowed"}},
		{r.kind("zoned", db.StringMap{"RESKEY:availability_zones": "mars, venus"}), db.MigrateOnDemand, []string{"could not be moved", "there is no other pool"}},
		{r.limited(r.kind("limited", nil), "back-end"), db.MigrateNever, []string{"(QosFilter)"}},
		{encrypted, db.MigrateNever, []string{"encrypted differently", "requires migration but is not allowed"}},
	} {
		r.retype(v.ID, c.to, c.policy)
		if v = r.rests(v.ID, "available"); v.VolumeTypeID != old {
			t.Fatalf("%s: %+v", c.to.Name, v)
		}
		all := r.messages()
		last := all[len(all)-1]
		for _, text := range append(c.told, "retype volume:", "The volume keeps its type") {
			if !strings.Contains(last.UserMessage(), text) {
				t.Errorf("%s: told %q", c.to.Name, last.UserMessage())
			}
		}
		r.trueCounters()
	}
	if left := dbtest.Rows(t, r.db, "SELECT volume_id::text FROM volume_retypes"); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// A retype whose job is lost gets one, and a volume that an administrator says
// is being retyped, though it is to have no other type, rests again.
func TestLostRetypes(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	stop := r.start()
	v, set := r.rests(r.request(1, nil).ID, "available"), r.rests(r.request(1, nil).ID, "available")
	stop()
	gold := r.kind("gold", nil)
	r.retype(v.ID, gold, db.MigrateNever)
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.MoveVolume(ctx, set.ID, db.ResetTo("retyping"), "", nil)
		return err
	})
	r.lose()
	r.sweep()
	r.sweep() // the second finds the first's jobs
	if jobs := dbtest.Rows(t, r.db, "SELECT kind FROM river_job"); len(jobs) != 2 {
		t.Errorf("jobs %v", jobs)
	}
	r.start()
	if v = r.rests(v.ID, "available"); v.VolumeType != "gold" {
		t.Errorf("%+v", v)
	}
	if set = r.rests(set.ID, "available"); set.VolumeType != "__DEFAULT__" {
		t.Errorf("%+v", set)
	}
	r.trueCounters()
}

// QoS specs that only the storage is to keep to are not promised by pools that
// do not; those of front ends are nobody's affair here.
func TestBackEndQosIsNotPromised(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.start()
	made := func(k db.VolumeType) string {
		return r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.VolumeTypeID, v.VolumeType = k.ID, k.Name }).ID
	}
	r.rests(made(r.limited(r.kind("front", nil), "front-end")), "available")
	r.rests(made(r.limited(r.kind("both", nil), "both")), "available")
	back := r.limited(r.kind("back", nil), "back-end")
	r.rests(made(back), "error")
	if all := r.messages(); len(all) != 1 || !strings.Contains(all[0].UserMessage(), "QosFilter refused 1 of 1 pool. The QoS specs of the volume type have the consumer back-end") {
		t.Errorf("told %v", all)
	}
	node.Change(vg, func(p *rpc.Pool) { p.Capabilities = map[string]string{"QoS_support": "True"} })
	polls := node.Calls("stats")
	r.eventually("poll", func() bool { return node.Calls("stats") > polls+1 })
	r.rests(made(back), "available")
}
