package scheduler_test

import (
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

// TestJobsOfTheDeadAreTakenOver: another scheduler, of another host, works on
// what a killed one had begun.
func TestJobsOfTheDeadAreTakenOver(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	url := dbtest.URL(t)
	d, err := db.Open(t.Context(), url, 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	r := &rig{TB: t, db: d, network: nodetest.NewNetwork(node)}
	r.adjust = func(o *scheduler.Options) { o.DeadAfter = time.Second }
	dying := r.startVictim(url)
	r.eventually("pool", func() bool { pools, _ := d.Pools(t.Context()); return len(pools) == 1 })
	node.SetSlow(time.Hour) // the first operation never ends
	v := r.request(1, nil)
	r.eventually("the node is asked", func() bool { return node.Calls("create") > 0 })
	dying.kill()
	node.Forget()
	node.SetSlow(0)
	r.start()
	r.rests(v.ID, "available")
}

// TestJobsPutOffByAWrongClock: a scheduler's clock was an hour ahead, and is right
// now, or it is gone. What it had put off for a moment does not lie for an hour.
func TestJobsPutOffByAWrongClock(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"available", "retryable", "scheduled"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nodetest.New("a").WithPool("lvm", "vg", 100*gib))
			v := r.request(1, nil)
			if _, err := r.db.Pool().Exec(t.Context(), "UPDATE river_job SET state = $1, scheduled_at = now() + interval '1 hour'", state); err != nil {
				t.Fatal(err)
			}
			r.start()
			r.rests(v.ID, "available")
		})
	}
}

// TestLateCreateIsFenced: a volume is deleted while its node still makes it.
func TestLateCreateIsFenced(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.start()
	node.SetSlow(200 * time.Millisecond)
	v := r.request(1, nil)
	r.eventually("the node is asked", func() bool { return node.Calls("create") > 0 })
	r.delete(v.ID)
	r.rests(v.ID, "deleted")
	_, err := node.Create(t.Context(), rpc.Fence{OperationID: "late", ResourceID: v.ID, Generation: 1}, "lvm#vg", gib, false)
	if !fault.Is(err, fault.Stale) || len(node.Volumes()) != 0 {
		t.Errorf("%v; left %v", err, node.Volumes())
	}
	if m := r.messages(); len(m) != 0 {
		t.Errorf("told %+v", m)
	}
	if quota, pools := r.recount(); len(quota)+len(pools) != 0 {
		t.Errorf("%v %v", quota, pools)
	}
}

// TestTwoNodesOfOneName: the second is refused while the first is up.
func TestTwoNodesOfOneName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, err := scheduler.New(scheduler.Options{DB: r.db, Nodes: r.network, Host: "control"})
	if err != nil {
		t.Fatal(err)
	}
	first, second := nodetest.New("a").WithPool("lvm", "vg", gib), nodetest.New("a").WithPool("lvm", "vg", gib)
	for range 2 {
		if err := s.Announce(t.Context(), first.Self()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Announce(t.Context(), second.Self()); !fault.Is(err, fault.Conflict) {
		t.Errorf("the second: %v", err)
	}
	if err := s.Announce(t.Context(), rpc.Node{Host: "b"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("half a node: %v", err)
	}
	if _, err := r.db.Pool().Exec(t.Context(), "UPDATE services SET heartbeat_at = now() - interval '2 minutes'"); err != nil {
		t.Fatal(err)
	}
	if err := s.Announce(t.Context(), second.Self()); err != nil {
		t.Errorf("when the first is gone: %v", err)
	}
}

// TestEachNodeIsPolledOnce: of many schedulers one polls a node, and a node
// that does not answer is no longer placed upon.
func TestEachNodeIsPolledOnce(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	node.Change("lvm#vg", func(p *rpc.Pool) { p.ProvisionedBytes, p.Io.BusyShare = 5*gib, 0.25 })
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) { o.PollInterval, o.Jobs.Grace = time.Hour, time.Millisecond }
	r.start()
	r.start()
	pools, err := r.db.Pools(t.Context())
	if err != nil || len(pools) != 1 || pools[0].OtherBytes != 5*gib || pools[0].IOBusyShare != 0.25 {
		t.Fatalf("%+v, %v", pools, err)
	}
	if n := node.Calls("stats"); n != 1 {
		t.Errorf("polled %d times", n)
	}
	_, err = r.db.Pool().Exec(t.Context(), "UPDATE services SET heartbeat_at = now() - interval '2 minutes' WHERE daemon = 'cinder-volume'")
	if err != nil {
		t.Fatal(err)
	}
	r.rests(r.request(1, nil).ID, "error")
	if m := r.messages(); len(m) != 1 || m[0].Detail != "No pool can hold the volume: ServiceFilter refused 1 of 1 pool." {
		t.Errorf("told %+v", m)
	}
}
