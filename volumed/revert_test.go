package volumed

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

func (r *rig) file(volume string) string { return filepath.Join(r.dir, backend.VolumeName(volume)) }

// fill writes the same byte over the first bytes of a volume.
func (r *rig) fill(volume string, fill byte) {
	r.t.Helper()
	f, err := os.OpenFile(r.file(volume), os.O_RDWR, 0)
	r.must(err)
	_, err = f.WriteAt([]byte{fill, fill, fill}, 0)
	r.must(err)
	r.must(f.Close())
}

func (r *rig) begins(volume string) byte {
	r.t.Helper()
	data, err := os.ReadFile(r.file(volume))
	r.must(err)
	return data[0]
}

func TestRevert(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, s, a := r.volume(), uuid.NewString(), uuid.NewString()
	r.fill(v, 'o')
	r.done(r.Snapshot(ctx, fence(s, 1), poolName, v))
	r.fill(v, 'n')
	r.attach(v, a, "host1")
	o, err := r.Revert(ctx, fence(v, 2), poolName, s, size)
	if err != nil || !fault.Is(o.Failure, fault.Busy) || r.begins(v) != 'n' {
		t.Fatalf("an exported volume was reverted: %v %v", o, err)
	}
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	f := fence(v, 3)
	for range 2 { // the second time its result is told
		r.done(r.Revert(ctx, f, poolName, s, size))
	}
	if r.begins(v) != 'o' {
		t.Error("it is not as the snapshot is")
	}
	r.restart()
	r.fill(v, 'n')
	r.done(r.Extend(ctx, fence(v, 4), poolName, 2*size))
	r.done(r.Revert(ctx, fence(v, 5), poolName, s, 2*size))
	if info, err := os.Stat(r.file(v)); err != nil || info.Size() != 2*size || r.begins(v) != 'o' {
		t.Errorf("%v %v", info, err)
	}
	if _, err := r.Revert(ctx, fence(v, 4), poolName, s, 2*size); !fault.Is(err, fault.Stale) {
		t.Errorf("a late call: %v", err)
	}
	r.done(r.Destroy(ctx, fence(v, 6), poolName))
	if _, err := r.Revert(ctx, fence(v, 6), poolName, s, 2*size); !fault.Is(err, fault.Stale) {
		t.Errorf("after its end: %v", err)
	}
}

func TestRevertRefusals(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, s := r.volume(), uuid.NewString()
	for name, call := range map[string]func() (*rpc.Operation, error){
		"no uuid":  func() (*rpc.Operation, error) { return r.Revert(ctx, fence(v, 1), poolName, "../x", size) },
		"itself":   func() (*rpc.Operation, error) { return r.Revert(ctx, fence(v, 1), poolName, v, size) },
		"no bytes": func() (*rpc.Operation, error) { return r.Revert(ctx, fence(v, 1), poolName, s, 0) },
	} {
		if _, err := call(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	o, err := r.Revert(ctx, fence(v, 2), poolName, s, size)
	if err != nil || !fault.Is(o.Failure, fault.NotFound) {
		t.Errorf("no such snapshot: %v %v", o, err)
	}
}

// TestWrittenOverAfterItsExport: what is left of an export with limits, whose end was
// interrupted, is cleared away first, and nothing waits for itself.
func TestWrittenOverAfterItsExport(t *testing.T) {
	t.Parallel()
	r, limits := newLimitedRig(t)
	r.backups()
	image, ctx := r.images(), t.Context()
	v, snap := r.volume(), uuid.NewString()
	r.done(r.Snapshot(ctx, fence(snap, 1), poolName, v))
	id := r.backedUp(sourceOf(v))
	for generation, over := range map[int64]func(f rpc.Fence) (*rpc.Operation, error){
		2: func(f rpc.Fence) (*rpc.Operation, error) { return r.Revert(ctx, f, poolName, snap, size) },
		3: func(f rpc.Fence) (*rpc.Operation, error) { return r.Reimage(ctx, f, poolName, image.Image, size) },
		4: func(f rpc.Fence) (*rpc.Operation, error) { return r.Restore(ctx, f, poolName, place(id), size, true) },
	} {
		a := uuid.NewString()
		if _, err := r.Grant(ctx, fence(a, 1), poolName, v, limited(a, "host", generation, 7)); err != nil {
			t.Fatal(err)
		}
		r.target.setFail(func(method, _ string) error {
			if method == "remove" {
				return errDown
			}
			return nil
		})
		if err := r.Revoke(ctx, fence(a, 2), poolName, v); !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		r.target.setFail(func(string, string) error { return nil })
		r.done(over(fence(v, 9)))
		if l := limits.of(v); !l.None() {
			t.Errorf("generation %d: limits left: %+v", generation, l)
		}
	}
}
