package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

// victim is a scheduler that can be killed: in one instant it reaches neither
// the database nor any node any more. What it asked of them goes on.
type victim struct {
	line   *line
	dead   atomic.Bool
	cancel context.CancelFunc
	nodes  *nodetest.Network
}

// Node implements scheduler.Nodes.
func (v *victim) Node(endpoint string) rpc.Volumed {
	if v.dead.Load() {
		return nodetest.Gone()
	}
	return v.nodes.Node(endpoint)
}

func (v *victim) kill() {
	v.dead.Store(true)
	v.line.cut()
	v.cancel()
}

// startVictim runs a scheduler behind a line that can be cut. All of them have
// one host name, as one that is started again has.
func (r *rig) startVictim(url string) *victim {
	r.Helper()
	line := newLine(r, url)
	d, err := db.Open(r.Context(), line.url, 8)
	if err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.Context())
	v := &victim{line: line, cancel: cancel, nodes: r.network}
	options := scheduler.Options{DB: d, Nodes: v, Host: "control", PollInterval: time.Second, Quiet: 200 * time.Millisecond}
	options.Jobs.Pause, options.Jobs.FirstWait = 20*time.Millisecond, 50*time.Millisecond
	options.Jobs.PlacePatience, options.Jobs.Patience = 300*time.Millisecond, time.Second
	s, err := scheduler.New(options)
	if err != nil {
		r.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	for _, node := range r.network.Nodes() {
		_ = s.Announce(ctx, node.Self()) // a node that is down is no failure
	}
	r.Cleanup(func() { v.kill(); <-done; d.Close() })
	return v
}

// killRig is a rig whose scheduler is killed and started anew.
type killRig struct {
	*rig
	url    string
	victim *victim
}

// newKillRig starts the first victim and knows every pool. What happens by chance
// follows from CLINKER_TEST_SEED, which the test logs.
func newKillRig(t *testing.T, nodes ...*nodetest.Node) (*killRig, *rand.Rand) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CLINKER_TEST_SEED"); text != "" {
		_, _ = fmt.Sscan(text, &seed)
	}
	t.Logf("CLINKER_TEST_SEED=%d", seed)
	url := dbtest.URL(t)
	d, err := db.Open(t.Context(), url, 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	r := &killRig{rig: &rig{TB: t, db: d, network: nodetest.NewNetwork(nodes...)}, url: url}
	r.victim = r.startVictim(url)
	r.knowsPools()
	return r, rand.New(rand.NewPCG(seed, 0))
}

// kill ends the scheduler at once and starts another.
func (r *killRig) kill() {
	r.Helper()
	r.victim.kill()
	r.victim = r.startVictim(r.url)
}

// TestKilledAtAnyInstant: whatever is killed when, everything comes to rest,
// every counter is right, and the nodes have what the database says.
func TestKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	a, b := nodetest.New("a").WithPool("lvm", "vg", 40*gib), nodetest.New("b").WithPool("lvm", "vg", 60*gib)
	r, chance := newKillRig(t, a, b)
	var ids []string
	kinds := []db.VolumeType{r.kind("plain", nil), r.kind("other", nil), r.kind("nowhere", db.StringMap{"volume_backend_name": "ceph"})}
	for range 8 {
		r.disturb(chance, a, b)
		for range 10 {
			ids = r.anything(chance, ids, kinds)
		}
		// Not to wait for anything, but to be somewhere in the middle.
		time.Sleep(time.Duration(chance.IntN(150)) * time.Millisecond)
		r.kill()
	}
	for _, node := range []*nodetest.Node{a, b} {
		node.Mend()
		node.SetSlow(0)
	}
	begun := time.Now()
	r.settled(ids)
	t.Logf("%d volumes asked for; at rest, compared and recounted after %s", len(ids), time.Since(begun).Round(time.Millisecond))
	t.Logf("migrations: %v", dbtest.Rows(t, r.db, "SELECT reason || ' ' || count(*) FROM volume_history WHERE reason LIKE '%migrat%' GROUP BY reason ORDER BY 1"))
}

// disturb has a node fail in some way, until the next disturbance.
func (r *rig) disturb(chance *rand.Rand, nodes ...*nodetest.Node) {
	for _, node := range nodes {
		node.Mend()
		node.SetSlow(time.Duration(chance.IntN(3)) * 40 * time.Millisecond)
	}
	node := nodes[chance.IntN(len(nodes))]
	switch chance.IntN(5) {
	case 0:
		node.SetDown(true)
	case 1:
		node.Break(nodetest.Fault{Method: "create", Err: fault.New(fault.NoSpace, "full"), Times: 3})
	case 2:
		node.Break(nodetest.Fault{After: true, Err: fault.New(fault.Timeout, "lost"), Times: 5})
	case 3:
		node.Break(nodetest.Fault{Method: "destroy", Err: fault.New(fault.Busy, "busy"), Times: 2})
	}
}

// anything is one request of a user.
func (r *rig) anything(chance *rand.Rand, ids []string, kinds []db.VolumeType) []string {
	r.Helper()
	ctx := r.Context()
	if len(ids) == 0 || chance.IntN(2) == 0 {
		return append(ids, r.request(1+chance.IntN(3), nil).ID)
	}
	id := ids[chance.IntN(len(ids))]
	v, err := r.db.Volume(ctx, id, "")
	if err != nil {
		return ids
	}
	err = r.db.Tx(ctx, func(tx *db.Tx) error {
		switch chance.IntN(8) {
		case 4, 5, 6:
			return tx.BeginMigrate(ctx, id, []string{onA, onB}[chance.IntN(2)], chance.IntN(2) == 0, "req-migrate")
		case 0:
			return tx.BeginExtend(ctx, v, db.ExtendBegin, v.SizeGiB+1, "req-extend", nil)
		case 1, 2:
			return tx.BeginRetype(ctx, v, kinds[chance.IntN(len(kinds))], []string{db.MigrateNever, db.MigrateOnDemand}[chance.IntN(2)], "req-retype", nil)
		}
		moved, err := tx.MoveVolume(ctx, id, db.ForceDeleteBegin, "", nil)
		if err == nil {
			err = tx.AbandonRetype(ctx, id)
		}
		if err != nil {
			return err
		}
		if moved.PoolID == nil {
			return tx.FinishDelete(ctx, moved)
		}
		return tx.Enqueue(ctx, db.VolumeDeleteArgs{VolumeID: id})
	})
	if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
		r.Fatal(err)
	}
	return ids
}

// settled waits for rest, and holds the database against itself and the nodes.
func (r *rig) settled(ids []string) {
	r.Helper()
	defer r.logRestless()
	r.eventually("all rests", func() bool {
		moving := dbtest.Rows(r, r.db, `SELECT status FROM volumes WHERE deleted_at IS NULL
			AND (status IN ('creating', 'extending', 'retyping', 'deleting', 'error_deleting', 'maintenance') OR target_size_gib IS NOT NULL)
			UNION ALL SELECT 'migrating' FROM volume_migrations`)
		if len(moving) > 0 {
			r.sweep()
		}
		return len(moving) == 0
	})
	r.sweep() // a node may have made late what was given up
	if quota, pools := r.recount(); len(quota)+len(pools) > 0 {
		r.Errorf("counters: %v %v", quota, pools)
	}
	// What a node has extended without its answer being heard may be longer there.
	want := dbtest.Rows(r, r.db, `SELECT concat(id, ' ', host, CASE WHEN status <> 'error_extending' THEN ' ' || size_gib END) FROM volumes
		WHERE deleted_at IS NULL AND pool_id IS NOT NULL`)
	has := map[string]bool{}
	for _, node := range r.network.Nodes() {
		for id, v := range node.Volumes() {
			place := fmt.Sprintf("%s %s@%s", id, node.Self().Host, v.Pool)
			if !slices.Contains(want, place) {
				place = fmt.Sprintf("%s %d", place, v.Bytes>>30)
			}
			has[place] = true
		}
	}
	for _, w := range want {
		if !has[w] {
			r.Errorf("not on a node: %s", w)
		}
		delete(has, w)
	}
	for h := range has {
		r.Errorf("not in the database: %s", h)
	}
	if len(want) == 0 {
		r.Error(errors.New("nothing was made at all"))
	}
}

// logRestless tells, when a test has failed, which jobs there still are, and for
// which rows.
func (r *rig) logRestless() {
	if !r.Failed() {
		return
	}
	for _, sql := range []string{
		`SELECT concat_ws(' ', 'volume', id, status, migration_status, host, 'generation', generation) FROM volumes WHERE deleted_at IS NULL`,
		`SELECT concat_ws(' ', 'migration', row_to_json(m)) FROM volume_migrations m`,
		`SELECT concat_ws(' ', 'job', id, kind, state, 'attempt', attempt, 'at', scheduled_at - now(), args, metadata, errors[cardinality(errors)])
			FROM river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')`,
	} {
		for _, row := range dbtest.Rows(r, r.db, sql) {
			r.Log(row)
		}
	}
}
