package api

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/db"
	"clinker/scheduler/nodetest"
	"clinker/scheduler/reconcile"
	"clinker/volumed/rpc"
)

// fuse lets a process do so many steps, statements and calls to the node, and
// then dies: nothing that it tries after has an effect.
type fuse struct {
	mu    sync.Mutex
	left  int
	blown bool
}

func (f *fuse) burn() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left < 0 {
		f.blown = true
	}
	return f.blown
}

func (f *fuse) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if !f.burn() {
		return ctx
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func (f *fuse) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

var errDead = errors.New("the process is dead")

// mortalNode is the node as a process with a fuse sees it.
type mortalNode struct {
	rpc.Volumed
	fuse *fuse
}

func (n mortalNode) Node(string) rpc.Volumed { return n }

func (n mortalNode) Grant(ctx context.Context, f rpc.Fence, pool, volumeID string, g rpc.Grant) (c *rpc.Connection, err error) {
	return c, n.step(func() error { c, err = n.Volumed.Grant(ctx, f, pool, volumeID, g); return err })
}

func (n mortalNode) Revoke(ctx context.Context, f rpc.Fence, pool, volumeID string) error {
	return n.step(func() error { return n.Volumed.Revoke(ctx, f, pool, volumeID) })
}

// step may die before the effect, or after it and before the answer.
func (n mortalNode) step(effect func() error) error {
	if n.fuse.burn() {
		return errDead
	}
	err := effect()
	if n.fuse.burn() {
		return errDead
	}
	return err
}

// oldFlow is a server's life with a volume, before there were attachments.
var oldFlow = []string{
	`{"os-reserve": null}`, connectOne, attachOnlyReading, connectOne, `{"os-begin_detaching": null}`, leaveOne, `{"os-detach": {}}`,
	`{"os-reserve": null}`, connectOne, `{"os-unreserve": null}`,
	connectOne, attachHere, `{"os-detach": {}}`, `{"os-reserve": null}`, leaveOne,
}

const attachOnlyReading = `{"os-attach": {"host_name": "h1", "mountpoint": "/mnt", "mode": "ro"}}`

// The API is killed at each step of the old flow, and its client with it. The
// reconciler leaves nothing half done, nobody is let in who has not been told,
// and client and administrator can each get the volume back.
func TestOldFlowKilledAtEachStep(t *testing.T) {
	t.Parallel()
	m := newMortal(t)
	for steps := 0; !t.Failed(); steps++ {
		id := m.volume("member", "")
		m.node.Put("lvm#pool", id, 1<<30)
		m.fuse.light(steps)
		for _, body := range oldFlow {
			if m.mortal.act("service", id, body); m.fuse.isBlown() {
				break
			}
		}
		m.sweep()
		what := fmt.Sprintf("killed after %d steps", steps)
		m.consistent(what, id)
		m.recover(what, id, steps%2 == 0)
		if !m.fuse.isBlown() {
			t.Logf("%d steps", steps)
			return
		}
	}
}

func (f *fuse) light(steps int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.blown = steps, false
}

func (f *fuse) isBlown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blown
}

// mortal is a world, and a second server on its database that may die.
type mortal struct {
	*world
	node   *nodetest.Node
	fuse   *fuse
	mortal *world
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	m := &mortal{node: nodetest.New("node1").WithPool("lvm", "pool", 1<<50), fuse: &fuse{left: 1 << 30}}
	unlimited := func(o *Options) { o.Limits = db.Limits{}; o.ProtectServers = false; o.Nodes = immortal{m.node} }
	m.world = newWorld(t, unlimited)
	traced, err := db.Open(t.Context(), m.db.Pool().Config().ConnString(), 2, db.Traced(m.fuse))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(traced.Close)
	options := m.server.Options
	options.DB, options.Nodes = traced, mortalNode{m.node, m.fuse}
	dying := *m.world
	if dying.server, err = New(options); err != nil {
		t.Fatal(err)
	}
	m.mortal = &dying
	return m
}

// immortal is the node as everybody else sees it.
type immortal struct{ rpc.Volumed }

func (n immortal) Node(string) rpc.Volumed { return n.Volumed }

// sweep does what a scheduler does within a minute, twice over.
func (m *mortal) sweep() {
	m.t.Helper()
	r := &reconcile.Reconciler{DB: m.db, Nodes: immortal{m.node}, DownTime: time.Minute}
	for range 2 {
		for _, polled := range []string{"UPDATE pools SET polled_at = now()", "UPDATE services SET heartbeat_at = now()"} {
			if _, err := m.db.Pool().Exec(m.t.Context(), polled); err != nil {
				m.t.Fatal(err)
			}
		}
		if err := r.Sweep(m.t.Context()); err != nil {
			m.t.Fatal(err)
		}
	}
}

// consistent compares status, attachments and grants.
func (m *mortal) consistent(what, id string) {
	m.t.Helper()
	all, err := m.db.AttachmentsOf(m.t.Context(), id)
	if err != nil {
		m.t.Fatal(err)
	}
	exported := m.node.Exported()
	for _, a := range all[id] {
		g, granted := exported[a.ID]
		connected := a.ConnectionInfo != nil
		if granted != connected || connected && g.ReadOnly && *a.AttachMode == "rw" && a.AttachStatus == db.AttachAttached {
			m.t.Errorf("%s: attachment %s (%s), connected %v, granted %v %+v", what, a.AttachStatus, *a.AttachMode, connected, granted, g)
		}
		if connected && a.AttachStatus == db.AttachAttached && *a.AttachMode == "ro" && !g.ReadOnly {
			m.t.Errorf("%s: what is attached for reading may write", what)
		}
		if a.AttachStatus != db.AttachAttached && (a.AttachStatus != db.AttachAttaching || !connected) {
			m.t.Errorf("%s: an attachment is left %s", what, a.AttachStatus)
		}
		delete(exported, a.ID)
	}
	if len(exported) > 0 {
		m.t.Errorf("%s: strangers may log in: %v", what, exported)
	}
	want := map[bool][]string{true: {"in-use", "detaching", "attaching"}, false: {"available", "attaching"}}[len(all[id]) > 0]
	if status := m.statusOf(id); !slices.Contains(want, status) {
		m.t.Errorf("%s: %s with %d attachments", what, status, len(all[id]))
	}
}

// recover gets the volume back, as its client can or as an administrator can.
func (m *mortal) recover(what, id string, asAdmin bool) {
	m.t.Helper()
	if asAdmin {
		m.act("admin", id, `{"os-reset_status": {"status": "available", "attach_status": "detached"}}`).want(m.t, 202)
	} else {
		m.act("service", id, `{"os-terminate_connection": {"connector": null}}`).want(m.t, 202)
		all, err := m.db.AttachmentsOf(m.t.Context(), id)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, a := range all[id] {
			m.act("service", id, `{"os-detach": {"attachment_id": "`+a.ID+`"}}`).want(m.t, 202)
		}
		m.act("service", id, `{"os-detach": null}`).want(m.t, 202)
		m.act("service", id, `{"os-unreserve": null}`).want(m.t, 202)
	}
	if status := m.statusOf(id); status != "available" || len(m.node.Exported()) > 0 {
		m.t.Errorf("%s: %s, grants %v", what, status, m.node.Exported())
	}
	m.do("member", "DELETE", "/v3/volumes/"+id, "").want(m.t, 202)
}

// Whatever many clients do to one volume at once, no answer is a 500, and in the
// end status, attachments and grants agree.
func TestOldFlowAtOnce(t *testing.T) {
	t.Parallel()
	m := newMortal(t)
	m.volumeType(`{"name": "shared", "extra_specs": {"multiattach": "<is> True"}}`)
	actions := []string{`{"os-reserve": null}`, `{"os-unreserve": null}`, connectOne, connectTwo, attachHere, attachOnlyReading, leaveOne,
		`{"os-begin_detaching": null}`, `{"os-roll_detaching": null}`, `{"os-detach": null}`, `{"os-terminate_connection": {"connector": null}}`, `{"os-force_detach": {}}`}
	for _, more := range []string{"", `, "volume_type": "shared"`} {
		id := m.volume("member", more)
		m.node.Put("lvm#pool", id, 1<<30)
		var running sync.WaitGroup
		for client := range 6 {
			chance := rand.New(rand.NewPCG(uint64(client), 7))
			running.Go(func() {
				for range 25 {
					body := actions[chance.IntN(len(actions))]
					if r := m.act("admin", id, body); r.status >= 500 {
						t.Errorf("%s: %d %s", body, r.status, r.body)
					}
				}
			})
		}
		running.Wait()
		m.sweep()
		m.consistent("after all", id)
		m.recover("after all", id, false)
	}
}
