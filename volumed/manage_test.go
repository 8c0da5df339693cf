package volumed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// stranger puts a file into the pool's directory.
func (r *rig) stranger(name, content string) {
	r.t.Helper()
	r.must(os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o644))
}

func (r *rig) candidates() map[string]*rpc.Candidate {
	r.t.Helper()
	all, err := r.Manageable(r.t.Context(), poolName)
	r.must(err)
	byName := map[string]*rpc.Candidate{}
	for _, c := range all {
		byName[c.Reference] = c
	}
	return byName
}

func TestManage(t *testing.T) {
	t.Parallel()
	r, ctx, v := newRig(t), t.Context(), uuid.NewString()
	r.stranger("disk of old", strings.Repeat("o", 700))
	if c := r.candidates()["disk of old"]; c == nil || c.Refusal != "" || c.Bytes != 700 || c.Kind != rpc.KindVolume {
		t.Fatalf("%+v", c)
	}
	f := fence(v, 1)
	for range 2 { // the second time its result is told
		r.done(r.Manage(ctx, f, poolName, rpc.KindVolume, "disk of old", size, ""))
	}
	r.restart()
	r.done(r.Manage(ctx, fence(v, 2), poolName, rpc.KindVolume, "disk of old", size, "")) // it is there already
	if info, err := os.Stat(r.file(v)); err != nil || info.Size() != size || r.begins(v) != 'o' || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	a := uuid.NewString()
	r.attach(v, a, "host1")
	if c := r.candidates()[backend.VolumeName(v)]; c.Refusal == "" || c.ID != v {
		t.Error("an exported volume is offered")
	}
	other := uuid.NewString()
	o, err := r.Manage(ctx, fence(other, 1), poolName, rpc.KindVolume, backend.VolumeName(v), size, "")
	if err != nil || !fault.Is(o.Failure, fault.Busy) {
		t.Errorf("an exported volume is managed: %v %v", o, err)
	}
	o, err = r.Unmanage(ctx, fence(v, 3), poolName, rpc.KindVolume, "")
	if err != nil || !fault.Is(o.Failure, fault.Busy) {
		t.Errorf("an exported volume is unmanaged: %v %v", o, err)
	}
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	r.done(r.Unmanage(ctx, fence(v, 4), poolName, rpc.KindVolume, ""))
	if r.begins(v) != 'o' {
		t.Error("what is unmanaged is lost")
	}
	if _, err := r.Extend(ctx, fence(v, 4), poolName, 2*size); !fault.Is(err, fault.Stale) {
		t.Errorf("a late call: %v", err)
	}
	r.done(r.Unmanage(ctx, fence(v, 5), poolName, rpc.KindVolume, "disk of old"))
	if c := r.candidates()["disk of old"]; c == nil {
		t.Error("it did not get its name back")
	}
	r.done(r.Unmanage(ctx, fence(v, 6), poolName, rpc.KindVolume, "disk of old")) // there is none
}

func TestManageSnapshot(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v, s, again := r.volume(), uuid.NewString(), uuid.NewString()
	r.done(r.Snapshot(ctx, fence(s, 1), poolName, v))
	r.done(r.Unmanage(ctx, fence(s, 2), poolName, rpc.KindSnapshot, "kept"))
	r.done(r.Manage(ctx, fence(again, 1), poolName, rpc.KindSnapshot, "kept", size, v))
	if _, err := os.Stat(filepath.Join(r.dir, backend.SnapshotName(again))); err != nil {
		t.Error(err)
	}
	o, err := r.Manage(ctx, fence(uuid.NewString(), 1), poolName, rpc.KindVolume, backend.SnapshotName(again), size, "")
	if err != nil || !fault.Is(o.Failure, fault.Conflict) {
		t.Errorf("a snapshot is managed as a volume: %v %v", o, err)
	}
}

func TestManageRefusals(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.stranger("short", strings.Repeat("s", 700))
	r.stranger("empty", "")
	r.stranger("twice", "x")
	r.must(os.Link(filepath.Join(r.dir, "twice"), filepath.Join(r.dir, "again")))
	r.must(os.Symlink("/etc/passwd", filepath.Join(r.dir, "elsewhere")))
	for _, name := range []string{"empty", "twice", "again"} {
		if c := r.candidates()[name]; c == nil || c.Refusal == "" {
			t.Errorf("%s is offered: %+v", name, c)
		}
	}
	if c := r.candidates()["elsewhere"]; c != nil {
		t.Errorf("a link is listed: %+v", c)
	}
	for reference, want := range map[string]fault.Code{"empty": fault.Conflict, "twice": fault.Conflict, "none": fault.NotFound,
		"../journal": fault.Invalid, "": fault.Invalid, ".hidden": fault.Invalid} {
		o, err := r.Manage(ctx, fence(uuid.NewString(), 1), poolName, rpc.KindVolume, reference, size, "")
		if err != nil || !fault.Is(o.Failure, want) {
			t.Errorf("%q: %v %v, want %v", reference, o, err, want)
		}
	}
	if _, err := r.Manage(ctx, fence(uuid.NewString(), 1), poolName, rpc.KindVolume, "short", 0, ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("no bytes: %v", err)
	}
	if _, err := r.Manage(ctx, fence(uuid.NewString(), 1), poolName, rpc.KindSnapshot, "short", size, "x"); !fault.Is(err, fault.Invalid) {
		t.Errorf("no volume: %v", err)
	}
	if _, err := r.Manage(ctx, fence(uuid.NewString(), 1), poolName, rpc.KindTrash, "short", size, ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("trash: %v", err)
	}
}
