package scheduler_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

func impatient(o *scheduler.Options) {
	o.Jobs.PlacePatience, o.Jobs.Patience = 100*time.Millisecond, 100*time.Millisecond
}

func TestNoSpaceGoesToTheNextPool(t *testing.T) {
	t.Parallel()
	full, other := nodetest.New("a").WithPool("lvm", "vg", 10*gib), nodetest.New("b").WithPool("lvm", "vg", 10*gib)
	full.Break(nodetest.Fault{Method: "create", Err: fault.New(fault.NoSpace, "the pool is full")})
	other.Change("lvm#vg", func(p *rpc.Pool) { p.Io.BusyShare = 1 }) // so that the full one is the first choice
	r := newRig(t, full, other)
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	if *v.Host != "b@lvm#vg" || len(full.Volumes()) != 0 || len(other.Volumes()) != 1 {
		t.Fatalf("%+v", v)
	}
	history := dbtest.Rows(t, r.db, "SELECT reason FROM volume_history WHERE volume_id = $1 ORDER BY generation", v.ID)
	if len(history) != 3 || history[1] != "the pool is full" {
		t.Fatalf("history %q", history)
	}
	pools, _ := r.db.Pools(t.Context())
	if pools[0].AllocatedBytes != 0 || pools[1].AllocatedBytes != gib {
		t.Fatalf("pools %+v", pools)
	}
}

func TestNoPoolServes(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib).WithPool("lvm", "small", gib)
	r := newRig(t, node)
	r.start()
	r.eventually("both pools", func() bool { pools, _ := r.db.Pools(t.Context()); return len(pools) == 2 })
	big := r.request(20, nil)
	away := r.request(1, func(_ *db.Volume, args *db.VolumeCreateArgs) { args.Zones = []string{"elsewhere"} })
	r.rests(big.ID, "error")
	r.rests(away.ID, "error")
	told := map[string]string{}
	for _, m := range r.messages() {
		if m.EventID != "VOLUME_VOLUME_001_003" || m.RequestID == nil || m.ProjectID != "p" {
			t.Errorf("message %+v", m)
		}
		told[*m.ResourceUUID] = m.UserMessage()
	}
	for id, want := range map[string]string{
		big.ID: "schedule allocate volume:Could not find any available weighted backend. " +
			"No pool can hold the volume: CapacityFilter refused 2 of 2 pools.",
		away.ID: "schedule allocate volume:Could not find any available weighted backend. " +
			"No pool can hold the volume: AvailabilityZoneFilter refused 2 of 2 pools.",
	} {
		if told[id] != want {
			t.Errorf("told %q", told[id])
		}
	}
	if set, _ := r.db.QuotaSet(t.Context(), "p", []string{"volumes"}, nil); set["volumes"].InUse != 2 {
		t.Errorf("quota %v: a volume in error counts until it is deleted", set)
	}
}

func TestAllPoolsFail(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 10*gib)
	node.Break(nodetest.Fault{Method: "create", Err: fault.New(fault.Internal, "lvcreate failed")})
	r := newRig(t, node)
	r.start()
	r.rests(r.request(1, nil).ID, "error")
	text := r.messages()[0].UserMessage()
	if !strings.HasSuffix(text, "IgnoreAttemptedHostsFilter refused 1 of 1 pool. Of the pools tried, the last failed: lvcreate failed.") {
		t.Errorf("told %q", text)
	}
}

func TestSilentNodeIsLeft(t *testing.T) {
	t.Parallel()
	dead, other := nodetest.New("a").WithPool("lvm", "vg", 10*gib), nodetest.New("b").WithPool("lvm", "vg", 10*gib)
	dead.Break(nodetest.Fault{Method: "create", Err: fault.New(fault.Unavailable, "the service does not answer")})
	other.Change("lvm#vg", func(p *rpc.Pool) { p.Io.BusyShare = 1 })
	r := newRig(t, dead, other)
	r.adjust = impatient
	r.start()
	if v := r.rests(r.request(1, nil).ID, "available"); *v.Host != "b@lvm#vg" {
		t.Fatalf("%+v", v)
	}
	if dead.Calls("create") < 2 {
		t.Errorf("asked %d times", dead.Calls("create"))
	}
}

func TestLostAnswersAndSlowNodes(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	node.SetSlow(150 * time.Millisecond)
	for _, method := range []string{"create", "extend", "destroy"} {
		node.Break(nodetest.Fault{Method: method, After: true, Times: 3, Err: fault.New(fault.Timeout, "lost")})
	}
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) { o.Jobs.FirstWait = time.Millisecond }
	r.start()
	var volumes []db.Volume
	for range 5 {
		volumes = append(volumes, r.request(1, nil))
	}
	for _, v := range volumes {
		r.rests(v.ID, "available")
		r.extend(v.ID, 3)
		r.rests(v.ID, "available")
		r.delete(v.ID)
	}
	for _, v := range volumes {
		r.rests(v.ID, "deleted")
	}
	if left := node.Volumes(); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestCopyGoesBesideItsSource(t *testing.T) {
	t.Parallel()
	a, b := nodetest.New("a").WithPool("lvm", "vg", 100*gib), nodetest.New("b").WithPool("lvm", "vg", 100*gib)
	a.Change("lvm#vg", func(p *rpc.Pool) { p.Io.BusyShare = 1 })
	r := newRig(t, a, b)
	r.start()
	source := r.rests(r.request(2, func(_ *db.Volume, args *db.VolumeCreateArgs) { args.Zones = []string{"nova"} }).ID, "available")
	a.Change("lvm#vg", func(p *rpc.Pool) { p.Io.BusyShare = 0 })
	b.Change("lvm#vg", func(p *rpc.Pool) { p.Io.BusyShare = 1 })
	copied := r.rests(r.request(3, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.SourceVolid = &source.ID }).ID, "available")
	if *copied.Host != *source.Host || b.Calls("copy_from") != 1 {
		t.Errorf("source on %s, copy on %s", *source.Host, *copied.Host)
	}
	gone := uuid.NewString()
	lost := r.rests(r.request(3, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.SourceVolid = &gone }).ID, "error")
	if m := r.messages(); len(m) != 1 || *m[0].ResourceUUID != lost.ID || !strings.Contains(m[0].Detail, "is gone") {
		t.Errorf("told %+v", m)
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	a, b := nodetest.New("a").WithPool("lvm", "vg", 100*gib), nodetest.New("b").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, a, b)
	r.start()
	r.eventually("both pools", func() bool { pools, _ := r.db.Pools(t.Context()); return len(pools) == 2 })
	first := r.rests(r.request(1, nil).ID, "available")
	same := r.rests(r.request(1, func(_ *db.Volume, args *db.VolumeCreateArgs) { args.SameHost = []string{first.ID} }).ID, "available")
	away := r.rests(r.request(1, func(_ *db.Volume, args *db.VolumeCreateArgs) { args.DifferentHost = []string{first.ID} }).ID, "available")
	if *same.Host != *first.Host || *away.Host == *first.Host {
		t.Errorf("first %s, same %s, away %s", *first.Host, *same.Host, *away.Host)
	}
	strange := r.request(1, func(_ *db.Volume, args *db.VolumeCreateArgs) { args.SameHost = []string{uuid.NewString()} })
	r.rests(strange.ID, "error")
}

func TestManySchedulersNeverOvercommit(t *testing.T) {
	t.Parallel()
	a, b := nodetest.New("a").WithPool("lvm", "vg", 20*gib), nodetest.New("b").WithPool("lvm", "vg", 33*gib)
	r := newRig(t, a, b)
	r.start()
	r.start()
	r.start()
	r.eventually("both pools", func() bool { pools, _ := r.db.Pools(t.Context()); return len(pools) == 2 })
	var wg sync.WaitGroup
	ids := make([]string, 200)
	for i := range ids {
		wg.Go(func() {
			v, err := r.tryRequest(t.Context(), 1, nil)
			if err != nil {
				t.Error(err)
			}
			ids[i] = v.ID
		})
	}
	wg.Wait()
	counts := map[string]int{}
	for _, id := range ids {
		var v db.Volume
		r.eventually("volume rests", func() bool { v = r.read(id); return v.Status != "creating" })
		counts[v.Status]++
	}
	if counts["available"] != 53 || counts["error"] != 147 {
		t.Errorf("%v", counts)
	}
	pools, _ := r.db.Pools(t.Context())
	if pools[0].AllocatedBytes != 20*gib || pools[1].AllocatedBytes != 33*gib {
		t.Errorf("%+v", pools)
	}
	if a.Calls("create")+b.Calls("create") > 60 {
		t.Errorf("nodes were asked %d + %d times for 53 volumes", a.Calls("create"), b.Calls("create"))
	}
}
