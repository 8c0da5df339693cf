package volumed

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/internal/pki"
	"clinker/volumed/rpc"
)

// cloud is a CA and certificates for all roles.
type cloud struct {
	t   testing.TB
	dir string
	ca  string
}

func newCloud(t testing.TB) *cloud {
	dir := t.TempDir()
	ca, err := pki.EnsureCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &cloud{t: t, dir: dir, ca: ca}
}

// server gives the TLS configuration of a server that any role may reach, so
// that it is the call's own rule that is tested.
func (c *cloud) server(role pki.Role) *tls.Config {
	cert, key, err := pki.Issue(c.dir, string(role), role, "127.0.0.1")
	if err != nil {
		c.t.Fatal(err)
	}
	config, err := pki.ServerTLS(c.ca, cert, key)
	if err != nil {
		c.t.Fatal(err)
	}
	return config
}

func (c *cloud) clients(role pki.Role) *rpc.Clients {
	cert, key, err := pki.Issue(c.dir, string(role), role, "127.0.0.1")
	if err != nil {
		c.t.Fatal(err)
	}
	config, err := pki.ClientTLS(c.ca, cert, key)
	if err != nil {
		c.t.Fatal(err)
	}
	clients := rpc.NewPool(config)
	c.t.Cleanup(clients.Close)
	return clients
}

func controlPlane(s tls.ConnectionState) error { return pki.RequireRole(s, pki.API, pki.Scheduler) }

func nodes(s tls.ConnectionState) error { return pki.RequireRole(s, pki.Volumed) }

// announced is a scheduler's ear.
type announced chan rpc.Node

func (a announced) Announce(_ context.Context, n rpc.Node) error { a <- n; return nil }

func (c *cloud) scheduler(a rpc.Registry) string {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", c.server(pki.Scheduler))
	if err != nil {
		c.t.Fatal(err)
	}
	s := &http.Server{Handler: rpc.RegistryHandler(a, nodes)}
	go s.Serve(listener)
	c.t.Cleanup(func() { s.Close() })
	return "https://" + listener.Addr().String()
}

// run starts a node's Run and gives its endpoint; the function ends it.
func (r *rig) run(c *cloud) (endpoint string, stop func() error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, listener, c.server(pki.Volumed), controlPlane) }()
	return "https://" + listener.Addr().String(), func() error {
		cancel()
		return <-ended
	}
}

func TestANodeOnTheNetwork(t *testing.T) {
	t.Parallel()
	c, ear := newCloud(t), make(announced, 1)
	r := newRig(t)
	r.stop()
	r.options.Clients = c.clients(pki.Volumed)
	r.options.Schedulers = []string{"https://127.0.0.1:1", c.scheduler(ear)}
	r.start()
	endpoint, stop := r.run(c)

	if n := <-ear; n.UUID != r.journal.NodeUUID() || n.Endpoint == "" || len(n.Backends) != 1 {
		t.Errorf("announced: %+v", n)
	}
	ctx, node := t.Context(), c.clients(pki.Scheduler).Node(endpoint)
	v, a := uuid.NewString(), uuid.NewString()
	r.done(node.Create(ctx, fence(v, 1), poolName, size, false))
	if _, err := node.Create(ctx, fence(v, 1), poolName, size+1, false); !fault.Is(err, fault.Invalid) {
		t.Errorf("an odd size: %v", err)
	}
	connection, err := c.clients(pki.API).Node(endpoint).Grant(ctx, fence(a, 1), poolName, v, grantOf(a, "host1"))
	if err != nil || connection.Password != rpc.Secret("password-"+a) {
		t.Fatalf("grant: %v %v", connection, err)
	}
	if all, err := node.Exports(ctx, poolName); err != nil || len(all) != 1 || !all[0].Present {
		t.Errorf("exports: %v %v", all, err)
	}
	r.must(node.Revoke(ctx, fence(a, 2), poolName, v))
	if stats, err := node.Stats(ctx); err != nil || stats.Pools[0].LiveBytes != size {
		t.Errorf("stats: %v %v", stats, err)
	}
	if _, err := c.clients(pki.Volumed).Node(endpoint).Stats(ctx); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another node's call: %v", err)
	}
	r.done(node.Destroy(ctx, fence(v, 2), poolName))
	r.must(stop())
	if _, err := node.Stats(ctx); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a node that has stopped: %v", err)
	}
}

func TestAStopAnswersThoseWhoWait(t *testing.T) {
	t.Parallel()
	c, r := newCloud(t), newRig(t)
	begun := make(chan struct{})
	r.storage.before = func(ctx context.Context, _, _ string) error { close(begun); <-ctx.Done(); return ctx.Err() }
	r.Server.options.DrainTimeout = time.Millisecond
	endpoint, stop := r.run(c)
	v, a := uuid.NewString(), uuid.NewString()
	node := c.clients(pki.Scheduler).Node(endpoint)
	answered := make(chan error, 1)
	go func() {
		o, err := node.Create(t.Context(), fence(v, 1), poolName, size, false)
		if err == nil && o.State == rpc.Done {
			err = fault.New(fault.Internal, "done, says the node")
		}
		answered <- err
	}()
	<-begun
	r.must(stop())
	if err := <-answered; err != nil && !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if _, err := r.Grant(t.Context(), fence(a, 1), poolName, v, grantOf(a, "h")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("work after the end: %v", err)
	}
}

func TestStoppingLeavesExportsAlone(t *testing.T) {
	t.Parallel()
	c, r := newCloud(t), newRig(t)
	_, stop := r.run(c)
	v := r.volume()
	at := r.attach(v, uuid.NewString(), "host1")
	r.must(stop())
	if !r.target.session(at.IQN, initiator("host1")) {
		t.Error("the session is gone")
	}
}

// A node ends also while a disk or a store hangs: what waits for that heeds nobody.
func TestAStopDoesNotWaitForWhatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		hangs, begun := make(chan struct{}), make(chan struct{})
		r.storage.before = func(context.Context, string, string) error { close(begun); <-hangs; return nil }
		v := uuid.NewString()
		go func() { _, _ = r.Create(context.Background(), fence(v, 1), poolName, size, false) }()
		<-begun
		since := time.Now()
		r.work.stop(time.Second)
		if took := time.Since(since); took != time.Second+heed {
			t.Errorf("ended after %v", took)
		}
		close(hangs)
		r.work.all.Wait()
	})
}
