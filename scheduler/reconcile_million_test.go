package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/scheduler/nodetest"
	"clinker/scheduler/reconcile"
	"clinker/volumed/rpc"
)

// timed notes until when each pool's question may take.
type timed struct {
	*nodetest.Network
	mu    sync.Mutex
	until map[string]time.Time
}

type timedNode struct {
	rpc.Volumed
	all *timed
}

func (t *timed) Node(endpoint string) rpc.Volumed { return timedNode{t.Network.Node(endpoint), t} }

func (n timedNode) Stored(ctx context.Context, pool string) ([]*rpc.Stored, error) {
	n.all.mu.Lock()
	n.all.until[pool], _ = ctx.Deadline()
	n.all.mu.Unlock()
	return n.Volumed.Stored(ctx, pool)
}

// TestARoundLeavesNoPoolOut: each pool has its own time, and not what those before it
// have left of the round's.
func TestARoundLeavesNoPoolOut(t *testing.T) {
	t.Parallel()
	const pools = 20 // more than are asked at the same time
	node := nodetest.New("a")
	for i := range pools {
		node.WithPool("lvm", fmt.Sprintf("vg%02d", i), 100*gib)
	}
	r := newRig(t, node)
	r.start()()
	nodes := &timed{Network: r.network, until: map[string]time.Time{}}
	if err := (&reconcile.Reconciler{DB: r.db, Nodes: nodes, DownTime: time.Minute}).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	different := map[time.Time]bool{}
	for _, until := range nodes.until {
		different[until] = true
	}
	if len(nodes.until) != pools || len(different) != pools {
		t.Errorf("%d pools were compared, until %d times", len(nodes.until), len(different))
	}
}

// asked counts statements that hold a text.
type asked struct {
	text string
	mu   sync.Mutex
	n    int
}

func (a *asked) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	if strings.Contains(q.SQL, a.text) {
		a.n++
	}
	return ctx
}

func (a *asked) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestWhatIsInItsPlaceIsReadOnce: of a million volumes nearly all are where they should
// be, and no second statement asks for them by their ids.
func TestWhatIsInItsPlaceIsReadOnce(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r, byID, url := newRig(t, node), &asked{text: ".id = ANY($1::uuid[])"}, dbtest.URL(t)
	traced, err := db.Open(t.Context(), url, 8, db.Traced(byID))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(traced.Close)
	r.db = traced
	stop := r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	r.attachment(v, node, db.AttachAttached, `{"auth_username": "name"}`, true)
	stop()
	byID.n = 0
	r.sweep()
	if byID.n > 0 {
		t.Errorf("%d statements asked again", byID.n)
	}
	node.Put("lvm#vg", "6a3c9c0e-4e6b-4d0e-8a54-0d3c2c6f3a11", gib)
	r.sweep()
	if byID.n != 1 {
		t.Errorf("%d statements asked for what is not known to lie there", byID.n)
	}
}
