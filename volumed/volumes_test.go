package volumed

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func TestAVolumesLife(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, a := r.volume(), uuid.NewString()
	c := r.attach(v, a, "host1")
	want := &rpc.Connection{
		Protocol: "iscsi", Portals: []string{"127.0.0.1:3260"}, IQN: prefix + "volume-" + v, LUN: 1,
		Username: "user-" + a, Password: rpc.Secret("password-" + a),
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	before := r.target.applied
	r.done(r.Extend(ctx, fence(v, 2), poolName, 2*size))
	if r.target.applied == before {
		t.Error("the initiator does not see the new size")
	}
	o, err := r.Destroy(ctx, fence(v, 3), poolName)
	if err != nil || !fault.Is(o.Failure, fault.Busy) {
		t.Fatalf("an exported volume was destroyed: %v %v", o, err)
	}
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	if r.target.session(c.IQN, "iqn.1993-08.org.debian:host1") {
		t.Error("the session is still there")
	}
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	r.done(r.Destroy(ctx, fence(v, 4), poolName))
	r.done(r.Destroy(ctx, fence(v, 4), poolName))
	if left := r.names(); len(left) > 0 || len(r.target.exports) > 0 {
		t.Errorf("left: %v %v", left, r.target.exports)
	}
}

func TestLateCallsDoNothing(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v := r.volume()
	r.done(r.Destroy(ctx, fence(v, 2), poolName))
	r.restart()
	for name, call := range map[string]func(rpc.Fence) error{
		"create": func(f rpc.Fence) error { _, err := r.Create(ctx, f, poolName, size, false); return err },
		"extend": func(f rpc.Fence) error { _, err := r.Extend(ctx, f, poolName, 2*size); return err },
		"copy": func(f rpc.Fence) error {
			_, err := r.CopyFrom(ctx, f, poolName, rpc.Source{Kind: rpc.KindVolume, ID: uuid.NewString()}, size)
			return err
		},
		"destroy": func(f rpc.Fence) error { _, err := r.Destroy(ctx, f, poolName); return err },
	} {
		if err := call(fence(v, 1)); !fault.Is(err, fault.Stale) {
			t.Errorf("%s of generation 1: %v", name, err)
		}
		if err := call(fence(v, 2)); name != "destroy" && !fault.Is(err, fault.Stale) {
			t.Errorf("%s of generation 2: %v", name, err)
		}
	}
	if left := r.names(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestBadCallsAreInvalid(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	good := uuid.NewString()
	for name, call := range map[string]func() error{
		"no uuid": func() error { _, err := r.Create(ctx, fence("../x", 1), poolName, size, false); return err },
		"upper case": func() error {
			_, err := r.Create(ctx, fence("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", 1), poolName, size, false)
			return err
		},
		"generation": func() error { _, err := r.Create(ctx, fence(good, 0), poolName, size, false); return err },
		"operation": func() error {
			_, err := r.Create(ctx, rpc.Fence{ResourceID: good, Generation: 1}, poolName, size, false)
			return err
		},
		"no bytes":  func() error { _, err := r.Create(ctx, fence(good, 1), poolName, 0, false); return err },
		"odd bytes": func() error { _, err := r.Extend(ctx, fence(good, 1), poolName, 513); return err },
		"itself": func() error {
			_, err := r.CopyFrom(ctx, fence(good, 1), poolName, rpc.Source{Kind: rpc.KindVolume, ID: good}, size)
			return err
		},
		"trash": func() error {
			_, err := r.CopyFrom(ctx, fence(good, 1), poolName, rpc.Source{Kind: rpc.KindTrash, ID: uuid.NewString()}, size)
			return err
		},
		"own snapshot":   func() error { _, err := r.Snapshot(ctx, fence(good, 1), poolName, good); return err },
		"grant's volume": func() error { _, err := r.Grant(ctx, fence(good, 1), poolName, "v", grantOf(good, "h")); return err },
		"other's grant": func() error {
			_, err := r.Grant(ctx, fence(good, 1), poolName, good, grantOf(uuid.NewString(), "h"))
			return err
		},
		"revoke": func() error { return r.Revoke(ctx, fence(good, 1), poolName, "v") },
	} {
		if err := call(); !fault.Is(err, fault.Invalid) || fault.MessageOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Create(ctx, fence(good, 1), "file#other", size, false); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown pool: %v", err)
	}
}

func TestTheSameOperationIsDoneOnce(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	var times atomic.Int32
	begun, finish := make(chan struct{}), make(chan struct{})
	r.storage.before = func(_ context.Context, method, _ string) error {
		if times.Add(1) == 1 {
			close(begun)
			<-finish
		}
		return nil
	}
	f := fence(uuid.NewString(), 1)
	short, cancel := context.WithCancel(ctx)
	go func() { <-begun; cancel() }()
	if o, err := r.Create(short, f, poolName, size, false); err != nil || o.State != rpc.Running {
		t.Fatalf("the caller left: %v %v", o, err)
	}
	if o, err := r.Operation(ctx, f.OperationID, 0); err != nil || o.State != rpc.Running {
		t.Fatalf("asked: %v %v", o, err)
	}
	if _, err := r.Extend(ctx, f, poolName, size); !fault.Is(err, fault.Invalid) {
		t.Errorf("the id served another call: %v", err)
	}
	close(finish)
	r.done(r.Create(ctx, f, poolName, size, false))
	r.done(r.Create(ctx, f, poolName, size, false))
	r.done(r.Operation(ctx, f.OperationID, time.Second))
	r.restart()
	r.done(r.Operation(ctx, f.OperationID, time.Second))
	if n := times.Load(); n != 1 {
		t.Errorf("done %d times", n)
	}
	if _, err := r.Operation(ctx, "unknown", time.Second); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown operation: %v", err)
	}
}

func TestAFailureIsKeptAndTriedAgainUnderANewID(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	full := fault.New(fault.NoSpace, "the pool is full")
	r.storage.before = func(context.Context, string, string) error { return full }
	f := fence(uuid.NewString(), 1)
	for range 2 {
		if o, err := r.Create(ctx, f, poolName, size, false); err != nil || o.State != rpc.Failed || o.Failure.Code != fault.NoSpace || o.Failure.Message != full.Message {
			t.Fatalf("got %v %v", o, err)
		}
		r.storage.before = nil
	}
	r.done(r.Create(ctx, fence(f.ResourceID, 1), poolName, size, false))
}

func TestACallAnswersBeforeItsCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.storage.before = func(ctx context.Context, _, _ string) error { <-ctx.Done(); return ctx.Err() }
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		o, err := r.Create(ctx, fence(uuid.NewString(), 1), poolName, size, false)
		if err != nil || o.State != rpc.Running || ctx.Err() != nil {
			t.Fatalf("got %v %v", o, err)
		}
		o, err = r.Operation(t.Context(), o.ID, time.Hour)
		if err != nil || o.State != rpc.Running || time.Since(begun) > 20*time.Second {
			t.Fatalf("after %s: %v %v", time.Since(begun), o, err)
		}
		time.Sleep(workLimit)
		o, err = r.Operation(t.Context(), o.ID, 0)
		if err != nil || !fault.Is(o.Failure, fault.Timeout) {
			t.Fatalf("hung work: %v %v", o, err)
		}
	})
}

func TestACopyTellsItsProgressAndYieldsToADelete(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	source, copied := r.volume(), uuid.NewString()
	moved := make(chan struct{})
	r.storage.copy = func(ctx context.Context, progress func(int64)) error {
		progress(4096)
		close(moved)
		<-ctx.Done()
		return ctx.Err()
	}
	f := fence(copied, 1)
	short, cancel := context.WithCancel(ctx)
	go func() { <-moved; cancel() }()
	o, err := r.CopyFrom(short, f, poolName, rpc.Source{Kind: rpc.KindVolume, ID: source}, size)
	if err != nil || o.State != rpc.Running || o.BytesDone != 4096 || o.BytesTotal != size {
		t.Fatalf("got %+v %v", o, err)
	}
	r.attach(source, uuid.NewString(), "host1") // a copy holds up nobody who logs in
	r.done(r.Destroy(ctx, fence(copied, 2), poolName))
	o, err = r.Operation(ctx, f.OperationID, time.Second)
	if err != nil || !fault.Is(o.Failure, fault.Stale) {
		t.Errorf("the copy ended with %+v %v", o, err)
	}
	if left := r.names(); !cmp.Equal(left, []string{source}) {
		t.Errorf("left: %v", left)
	}
}

func TestSnapshotsAndCopies(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, s, copied := r.volume(), uuid.NewString(), uuid.NewString()
	path := filepath.Join(r.dir, "volume-"+v)
	r.must(os.WriteFile(path, append([]byte("kept"), make([]byte, size-4)...), 0o600))
	r.done(r.Snapshot(ctx, fence(s, 1), poolName, v))
	r.must(os.WriteFile(path, make([]byte, size), 0o600))
	r.done(r.CopyFrom(ctx, fence(copied, 1), poolName, rpc.Source{Kind: rpc.KindSnapshot, ID: s}, 2*size))
	data, err := os.ReadFile(filepath.Join(r.dir, "volume-"+copied))
	r.must(err)
	if int64(len(data)) != 2*size || string(data[:4]) != "kept" {
		t.Errorf("the copy has %d bytes and begins with %q", len(data), data[:4])
	}
	r.done(r.DestroySnapshot(ctx, fence(s, 2), poolName))
	r.done(r.DestroySnapshot(ctx, fence(s, 2), poolName))
	if _, err := r.Snapshot(ctx, fence(s, 1), poolName, v); !fault.Is(err, fault.Stale) {
		t.Errorf("a late snapshot: %v", err)
	}
	all, err := r.Stored(ctx, poolName)
	r.must(err)
	for _, got := range all {
		if got.Kind != rpc.KindVolume || got.Generation != 1 || got.ID != v && got.ID != copied {
			t.Errorf("stored: %+v", got)
		}
	}
}

func TestWorkCutShortByAStopIsDoneAfterTheStart(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	begun := make(chan struct{})
	r.storage.before = func(ctx context.Context, _, _ string) error { close(begun); <-ctx.Done(); return ctx.Err() }
	f := fence(uuid.NewString(), 1)
	go func() { <-begun; r.work.stop(0) }()
	o, err := r.Create(ctx, f, poolName, size, false)
	if !fault.Is(err, fault.Unavailable) && (err != nil || o.State != rpc.Running) {
		t.Fatalf("got %+v %v", o, err)
	}
	if _, err := r.Create(ctx, fence(uuid.NewString(), 1), poolName, size, false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("new work while stopping: %v", err)
	}
	r.storage.before = nil
	r.restart()
	r.done(r.Create(ctx, f, poolName, size, false))
}

func TestAPanicIsOneOperationsFailure(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.storage.before = func(context.Context, string, string) error { panic("odd") }
	o, err := r.Create(t.Context(), fence(uuid.NewString(), 1), poolName, size, false)
	if err != nil || !fault.Is(o.Failure, fault.Internal) || o.Failure.Message == "" {
		t.Fatalf("got %+v %v", o, err)
	}
	r.storage.before = nil
	r.volume()
}

func TestStats(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.volume()
	s, err := r.Stats(t.Context())
	if err != nil || len(s.Pools) != 1 || s.Node.UUID != r.journal.NodeUUID() || s.Node.Host != "node1" {
		t.Fatalf("got %+v %v", s, err)
	}
	if p := s.Pools[0]; p.LiveBytes != size || !p.Thin || p.TotalBytes == 0 || p.Io.BusyShare != 0.25 {
		t.Errorf("got %+v", p)
	}
}

func BenchmarkCreateAndDestroy(b *testing.B) {
	r := newRig(b)
	for b.Loop() {
		id := uuid.NewString()
		r.done(r.Create(b.Context(), fence(id, 1), poolName, size, false))
		r.done(r.Destroy(b.Context(), fence(id, 2), poolName))
	}
}

// TestExtendThoughTargetFails: what has grown cannot shrink, whatever its target says,
// which is told again until it takes it.
func TestExtendThoughTargetFails(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v := r.volume()
	r.attach(v, uuid.NewString(), "host")
	r.target.setFail(func(string, string) error { return errDown })
	r.done(r.Extend(ctx, fence(v, 2), poolName, 2*size))
	if r.repairs.count() != 1 {
		t.Error("nobody tells the target")
	}
}
