package volumed

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/internal/pki"
	"clinker/volumed/rpc"
	"clinker/volumed/target"
)

const moveToken = rpc.Secret("0123456789abcdef0123456789abcdef")

// pair is two storage nodes that reach each other over mutual TLS.
type pair struct {
	*testing.T
	from, to *rig
	pki      string
	endpoint string // of from
	stop     func() // from's serving
}

func newPair(t *testing.T) *pair {
	p := &pair{T: t, from: newRig(t), to: newRig(t), pki: t.TempDir()}
	if _, err := pki.EnsureCA(p.pki); err != nil {
		t.Fatal(err)
	}
	p.to.options.Peers = p.client("node2")
	p.to.restart()
	p.serve("127.0.0.1:0")
	return p
}

func (p *pair) client(name string) *tls.Config {
	p.Helper()
	cert, key, err := pki.Issue(p.pki, name, pki.Volumed, name)
	p.from.must(err)
	config, err := pki.ClientTLS(filepath.Join(p.pki, "ca.crt"), cert, key, pki.Volumed)
	p.from.must(err)
	return config
}

// serve lets from answer calls, as Run does.
func (p *pair) serve(address string) {
	p.Helper()
	cert, key, err := pki.Issue(p.pki, "node1", pki.Volumed, "node1", "127.0.0.1")
	p.from.must(err)
	config, err := pki.ServerTLS(filepath.Join(p.pki, "ca.crt"), cert, key)
	p.from.must(err)
	listener, err := net.Listen("tcp", address)
	p.from.must(err)
	p.endpoint = "https://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := p.from.Server
	go func() {
		ended <- server.serve(ctx, tls.NewListener(listener, config), func(tls.ConnectionState) error { return nil })
	}()
	p.stop = sync.OnceFunc(func() { cancel(); <-ended })
	p.Cleanup(p.stop)
}

func (p *pair) lend(volume string, generation int64) error {
	return p.from.Lend(p.Context(), fence(volume, generation), poolName, size, "node2", moveToken)
}

func (p *pair) lender(generation int64) rpc.Lender {
	return rpc.Lender{NodeUUID: p.from.node.UUID, Endpoint: p.endpoint, Generation: generation, Token: moveToken}
}

func TestMoveIn(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	v := p.from.volume()
	p.from.fill(v, 'm')
	p.from.must(p.lend(v, 2))
	f := fence(v, 2)
	for range 2 { // the second time its result is told
		o, err := p.to.MoveIn(t.Context(), f, poolName, p.lender(2), size)
		p.to.done(o, err)
		if o.BytesDone != size || o.BytesTotal != size {
			t.Errorf("%d of %d bytes", o.BytesDone, o.BytesTotal)
		}
	}
	want, err := os.ReadFile(p.from.file(v))
	p.from.must(err)
	got, err := os.ReadFile(p.to.file(v))
	if err != nil || string(want) != string(got) {
		t.Errorf("what arrived differs: %v", err)
	}
	// What was lent can be taken away: the loan ends by it.
	p.from.done(p.from.Destroy(t.Context(), fence(v, 3), poolName))
	if len(p.from.names()) != 0 || len(p.to.names()) != 1 {
		t.Errorf("%v and %v", p.from.names(), p.to.names())
	}
}

// TestLendRefused: what somebody may write to is not lent, and a loan ends when
// somebody is let in.
func TestLendRefused(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	v, a := p.from.volume(), uuid.NewString()
	p.from.must(p.lend(v, 2))
	p.from.attach(v, a, "host")
	if err := p.lend(v, 2); !fault.Is(err, fault.Busy) {
		t.Errorf("an exported volume: %v", err)
	}
	p.from.must(p.from.Revoke(t.Context(), fence(a, 2), poolName, v))
	p.from.must(p.lend(v, 2))
	if err := p.lend(v, 1); !fault.Is(err, fault.Stale) {
		t.Errorf("an older generation: %v", err)
	}
	if err := p.lend(uuid.NewString(), 1); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such volume: %v", err)
	}
	if err := p.from.Lend(t.Context(), fence(v, 2), poolName, size, "node2", "short"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short token: %v", err)
	}
	if err := p.from.Lend(t.Context(), fence(v, 2), "other#pool", size, "node2", moveToken); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such pool: %v", err)
	}
}

// TestMoveInOvertaken: the volume is taken away at the destination while it comes.
func TestMoveInOvertaken(t *testing.T) {
	t.Parallel()
	p, v := newPair(t), uuid.NewString()
	f, ended := fence(v, 2), make(chan *rpc.Operation, 1)
	go func() { // nothing is lent: it waits
		o, _ := p.to.MoveIn(t.Context(), f, poolName, p.lender(2), size)
		ended <- o
	}()
	p.to.awaitOperation(f.OperationID)
	p.to.done(p.to.Destroy(t.Context(), fence(v, 3), poolName))
	if o := <-ended; o == nil || !fault.Is(o.Failure, fault.Stale) {
		t.Errorf("the copy ended with %v", o)
	}
	if len(p.to.names()) != 0 {
		t.Errorf("left: %v", p.to.names())
	}
}

// TestMoveInWhileNodesRestart: the source is stopped and comes back, the volume is
// lent again, and the copy goes on; the destination is stopped, and begins anew.
func TestMoveInWhileNodesRestart(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	v := p.from.volume()
	p.from.fill(v, 'm')
	address := p.endpoint[len("https://"):]
	p.stop()
	f, ended := fence(v, 2), make(chan error, 1)
	node, from := p.to.Server, p.lender(2)
	move := func(node *Server) {
		o, err := node.MoveIn(t.Context(), f, poolName, from, size)
		if err == nil && o.State != rpc.Done {
			err = errStopping // it tells that it is under way still
		}
		ended <- err
	}
	go move(node)
	p.to.awaitOperation(f.OperationID)
	p.to.stop()
	if err := <-ended; !fault.Is(err, fault.Unavailable) {
		t.Errorf("a node that stops: %v", err)
	}
	p.to.start()
	if len(p.to.names()) != 0 {
		t.Errorf("half a volume: %v", p.to.names())
	}
	go move(p.to.Server)
	p.from.restart()
	p.serve(address)
	p.from.must(p.lend(v, 2))
	if err := <-ended; err != nil || p.to.begins(v) != 'm' {
		t.Errorf("after the restarts: %v", err)
	}
}

// TestMoveInWithinANode is between two pools of one node, which has no need of a
// certificate.
func TestMoveInWithinANode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := newRigIn(t, t.TempDir())
	second := Pool{Backend: "second", Name: "second", Storage: other.storage, Target: r.target, IQNPrefix: prefix}
	r.Server.pools["second#second"] = &pool{Pool: second, wipe: make(chan struct{}, 1)}
	v := r.volume()
	r.fill(v, 'm')
	r.must(r.Lend(t.Context(), fence(v, 2), poolName, size, "", moveToken))
	own := rpc.Lender{NodeUUID: r.node.UUID, Generation: 2, Token: moveToken}
	r.done(r.MoveIn(t.Context(), fence(v, 2), "second#second", own, size))
	if other.begins(v) != 'm' {
		t.Error("the volume did not arrive")
	}
	// Somebody uses it where it is now; what is left behind goes all the same.
	c, err := r.Grant(t.Context(), fence(uuid.NewString(), 1), "second#second", v, grantOf("", "host"))
	if err == nil || c != nil {
		t.Fatalf("a grant for no attachment: %v", err)
	}
	a := uuid.NewString()
	c, err = r.Grant(t.Context(), fence(a, 1), "second#second", v, grantOf(a, "host"))
	r.must(err)
	r.done(r.Destroy(t.Context(), fence(v, 3), poolName))
	if !r.target.login(c.IQN, "iqn.1993-08.org.debian:host", c.Username, target.Secret(c.Password)) {
		t.Error("taking away what was left behind cut the host off")
	}
	elsewhere := own
	elsewhere.NodeUUID = uuid.NewString()
	if _, err := r.MoveIn(t.Context(), fence(uuid.NewString(), 1), poolName, elsewhere, size); !fault.Is(err, fault.Unsupported) {
		t.Errorf("without a certificate for other nodes: %v", err)
	}
}
