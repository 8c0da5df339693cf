package rpc_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

var (
	ctx   = context.Background()
	fence = rpc.Fence{OperationID: "op", ResourceID: "volume", Generation: 7}
)

func anyone(tls.ConnectionState) error { return nil }

// pair connects a client to a fake node.
func pair(t testing.TB, f fake) rpc.Volumed {
	ca := newAuthority(t)
	clients := rpc.NewPool(ca.holder("scheduler"))
	t.Cleanup(clients.Close)
	return clients.Node(ca.serve(rpc.Handler(f, anyone)))
}

func TestCreateCarriesAllAcross(t *testing.T) {
	t.Parallel()
	want := &rpc.Operation{ID: "op", State: rpc.Done, BytesDone: 1, BytesTotal: 2}
	n := pair(t, fake{create: func(_ context.Context, f rpc.Fence, pool string, bytes int64, blank bool) (*rpc.Operation, error) {
		if f != fence || pool != "lvm#vg" || bytes != 512 || !blank {
			t.Errorf("got %v %q %d", f, pool, bytes)
		}
		return want, nil
	}})
	got, err := n.Create(ctx, fence, "lvm#vg", 512, true)
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestCopyImageCarriesAllAcross(t *testing.T) {
	t.Parallel()
	image := rpc.Image{URL: "https://u", Token: "secret", DiskFormat: "qcow2", Bytes: 7, HashAlgo: "sha512", HashValue: "h", Checksum: "c"}
	n := pair(t, fake{copyImage: func(_ context.Context, f rpc.Fence, pool string, got rpc.Image, bytes int64) (*rpc.Operation, error) {
		if f != fence || pool != "p#p" || got != image || bytes != 512 {
			t.Errorf("got %v %q %v %d", f, pool, got, bytes)
		}
		return &rpc.Operation{ID: "op", State: rpc.Running, BytesDone: 3, BytesTotal: 7}, nil
	}})
	o, err := n.CopyImage(ctx, fence, "p#p", image, 512)
	if err != nil || o.BytesDone != 3 || o.BytesTotal != 7 {
		t.Fatalf("%+v %v", o, err)
	}
	if s := fmt.Sprintf("%v %+v %#v", image, image, image); strings.Contains(s, "secret") {
		t.Errorf("the token is printed: %s", s)
	}
}

func TestGrantCarriesAllAcross(t *testing.T) {
	t.Parallel()
	grant := rpc.Grant{AttachmentID: "a", Initiator: "iqn.i", Username: "u", Password: "p", ReadOnly: true,
		Limits: rpc.Limits{ReadBytesSec: 1, WriteBytesSec: 2, ReadIopsSec: 3, WriteIopsSec: 4}, VolumeGeneration: 5}
	want := &rpc.Connection{
		Protocol: "iscsi", Portals: []string{"127.0.0.1:3260"}, IQN: "iqn.t", LUN: 1,
		Username: "first", Password: "secret", ReadOnly: true,
	}
	n := pair(t, fake{grant: func(_ context.Context, f rpc.Fence, pool, volume string, g rpc.Grant) (*rpc.Connection, error) {
		if f != fence || pool != "p#p" || volume != "v" || g != grant {
			t.Errorf("got %v %q %q %v", f, pool, volume, g)
		}
		return want, nil
	}})
	got, err := n.Grant(ctx, fence, "p#p", "v", grant)
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if s := fmt.Sprintf("%v %+v %#v", got, grant, grant); strings.Contains(s, `"p"`) || strings.Contains(s, "secret") {
		t.Errorf("a password is printed: %s", s)
	}
}

func TestFaultsKeepTheirCode(t *testing.T) {
	t.Parallel()
	for _, code := range []fault.Code{
		fault.Invalid, fault.Forbidden, fault.NotFound, fault.Conflict, fault.NoSpace, fault.Busy,
		fault.Stale, fault.InProgress, fault.Unsupported, fault.Unavailable, fault.Timeout,
	} {
		n := pair(t, fake{revoke: func(context.Context, rpc.Fence, string, string) error {
			return fault.Wrap(errors.New("inside"), code, "a sentence")
		}})
		err := n.Revoke(ctx, fence, "p#p", "v")
		if !fault.Is(err, code) || err.Error() != "a sentence" {
			t.Errorf("%s: got %s: %v", code, fault.CodeOf(err), err)
		}
	}
}

func TestNothingFromInsideLeaves(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func() error{
		"error": func() error { return errors.New("/dev/secret") },
		"panic": func() error { panic("/dev/secret") },
		"fault": func() error { return fault.New(fault.Code("odd"), "/dev/secret") },
	} {
		n := pair(t, fake{revoke: func(context.Context, rpc.Fence, string, string) error { return f() }})
		err := n.Revoke(ctx, fence, "p#p", "v")
		if !fault.Is(err, fault.Internal) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %s: %v", name, fault.CodeOf(err), err)
		}
	}
}

func TestFailedOperationTellsWhy(t *testing.T) {
	t.Parallel()
	n := pair(t, fake{operation: func(_ context.Context, id string, wait time.Duration) (*rpc.Operation, error) {
		if id != "x" || wait != 1500*time.Millisecond {
			t.Errorf("got %q %s", id, wait)
		}
		return &rpc.Operation{ID: id, State: rpc.Failed, Failure: fault.New(fault.NoSpace, "full")}, nil
	}})
	got, err := n.Operation(ctx, "x", 1500*time.Millisecond)
	if err != nil || got.State != rpc.Failed || !fault.Is(got.Failure, fault.NoSpace) || got.Failure.Message != "full" {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestDeadlineReachesTheServerAndEndsTheCall(t *testing.T) {
	t.Parallel()
	served := make(chan time.Duration, 1)
	ended := make(chan struct{})
	n := pair(t, fake{stats: func(ctx context.Context) (*rpc.Stats, error) {
		deadline, _ := ctx.Deadline()
		served <- time.Until(deadline)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}})
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, err := n.Stats(short)
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("got %s: %v", fault.CodeOf(err), err)
	}
	if left := <-served; left > 200*time.Millisecond {
		t.Errorf("the server sees %s left", left)
	}
	<-ended
}

func TestServerStopsWhenTheClientGoesAway(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	n := pair(t, fake{stats: func(ctx context.Context) (*rpc.Stats, error) {
		close(begun)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}})
	going, leave := context.WithCancel(ctx)
	go func() { <-begun; leave() }()
	if _, err := n.Stats(going); !fault.Is(err, fault.Timeout) {
		t.Errorf("got %s: %v", fault.CodeOf(err), err)
	}
	<-ended
}

func TestRequestIDReachesTheServer(t *testing.T) {
	t.Parallel()
	n := pair(t, fake{revoke: func(ctx context.Context, _ rpc.Fence, _, _ string) error {
		if id := rpc.RequestID(ctx); id != "req-1" {
			t.Errorf("got %q", id)
		}
		return nil
	}})
	if err := n.Revoke(rpc.WithRequestID(ctx, "req-1"), fence, "p#p", "v"); err != nil {
		t.Fatal(err)
	}
}

func TestWrongRoleIsForbidden(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	url := ca.serve(rpc.Handler(fake{stats: func(context.Context) (*rpc.Stats, error) {
		t.Error("served")
		return &rpc.Stats{}, nil
	}}, func(c tls.ConnectionState) error {
		if c.PeerCertificates[0].Subject.CommonName != "scheduler" {
			return errors.New("not a scheduler")
		}
		return nil
	}))
	if _, err := rpc.NewPool(ca.holder("tenant")).Node(url).Stats(ctx); !fault.Is(err, fault.Forbidden) {
		t.Errorf("got %s: %v", fault.CodeOf(err), err)
	}
	other := newAuthority(t).holder("scheduler")
	other.RootCAs = ca.pool
	if _, err := rpc.NewPool(other).Node(url).Stats(ctx); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a foreign CA's certificate: got %s: %v", fault.CodeOf(err), err)
	}
}

func TestNobodyThereIsUnavailable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "https://" + listener.Addr().String()
	listener.Close()
	_, err = rpc.NewPool(newAuthority(t).holder("scheduler")).Node(url).Stats(ctx)
	if !fault.Is(err, fault.Unavailable) || strings.Contains(fault.MessageOf(err), "127.0.0.1") {
		t.Errorf("got %s: %v", fault.CodeOf(err), err)
	}
}

func TestUnknownServiceAndLongCall(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	mux := http.NewServeMux()
	mux.Handle(rpc.VolumedPath, rpc.Handler(fake{}, anyone))
	clients := rpc.NewPool(ca.holder("scheduler"))
	url := ca.serve(mux)
	if err := clients.Registry(url).Announce(ctx, rpc.Node{}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("got %s: %v", fault.CodeOf(err), err)
	}
	err := clients.Node(url).Revoke(ctx, fence, strings.Repeat("x", 1<<20), "v")
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %s: %v", fault.CodeOf(err), err)
	}
}

type registry struct{ got rpc.Node }

func (r *registry) Announce(_ context.Context, n rpc.Node) error { r.got = n; return nil }

func TestAnnounce(t *testing.T) {
	t.Parallel()
	ca, r := newAuthority(t), &registry{}
	want := rpc.Node{UUID: "u", Host: "h", Endpoint: "https://127.0.0.1:1", Version: "1", Backends: []string{"lvm"}, AvailabilityZone: "nova"}
	err := rpc.NewPool(ca.holder("node")).Registry(ca.serve(rpc.RegistryHandler(r, anyone))).Announce(ctx, want)
	if err != nil || !cmp.Equal(r.got, want) {
		t.Fatalf("got %+v, %v", r.got, err)
	}
}

func TestPoolOf(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"node1@lvm#vg0":    "lvm#vg0",
		"node1@lvm":        "lvm#lvm",
		"a.b@file#a b#odd": "file#a b#odd",
	} {
		if got := rpc.PoolOf(host); got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
}

// FuzzHandler: whatever bytes a peer sends, the handler answers.
func FuzzHandler(f *testing.F) {
	ca := newAuthority(f)
	state := clientState(f, ca)
	h := rpc.Handler(fake{
		stats:  func(context.Context) (*rpc.Stats, error) { return nil, errors.New("no") },
		stored: func(context.Context, string) ([]*rpc.Stored, error) { return nil, nil },
		revoke: func(context.Context, rpc.Fence, string, string) error { return nil },
	}, anyone)
	f.Add([]byte("\x82\x21\x01\x05stats\x00"))
	f.Add([]byte("\x82\x21\x01\x06stored\x18\xff\xff\xff\xff\x0fx\x00"))
	f.Add([]byte("\x82\x21\x01\x06revoke\x1c\x18\x01o\x18\x01r\x16\x02\x00\x18\x01p\x18\x01v\x00"))
	f.Fuzz(func(t *testing.T, call []byte) {
		r := httptest.NewRequest(http.MethodPost, rpc.VolumedPath, bytes.NewReader(call))
		r.TLS = state
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("status %d", w.Code)
		}
	})
}
