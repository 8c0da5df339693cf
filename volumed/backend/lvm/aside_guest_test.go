package lvm

import (
	"context"
	"os"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// marked gives what Import is to write: a block of that byte.
func marked(c byte) func(context.Context, string, bool) error {
	return func(_ context.Context, path string, _ bool) error { return mark(path, c) }
}

func mark(path string, c byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 4096)
	for i := range block {
		block[i] = c
	}
	if _, err := f.Write(block); err != nil {
		return err
	}
	return f.Sync()
}

// begins checks with which byte a volume begins.
func begins(t *testing.T, b *Backend, name string, c byte) {
	t.Helper()
	path, err := b.Device(t.Context(), name)
	must(t, err)
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	got := make([]byte, 1)
	if _, err := f.Read(got); err != nil || got[0] != c {
		t.Errorf("%s begins with %d, %v; want %d", path, got[0], err, c)
	}
}

// names are those that a pool lists.
func names(t *testing.T, b *Backend) (all []string) {
	t.Helper()
	for _, e := range b.entries(t) {
		all = append(all, e.Name)
	}
	return all
}

// TestAside: a volume goes from one pool of the volume group to another, where it can do
// all that others can, also after a restart; what is asked of the one pool does nothing to
// what the other has; and it goes back.
func TestAside(t *testing.T) {
	guest.Require(t)
	pool := thinPool(t, 96*mebi)
	thick, thin := opened(t, ""), opened(t, pool)
	name := made(t, thick, unit)
	path, err := thick.Device(t.Context(), name)
	must(t, err)
	must(t, mark(path, 1))
	must(t, thin.Delete(t.Context(), name))
	must(t, thin.Import(t.Context(), name, unit, marked(2)))
	must(t, thin.Import(t.Context(), name, unit, func(context.Context, string, bool) error { t.Error("it is brought twice"); return nil }))
	if err := thin.Import(t.Context(), name, 2*unit, marked(2)); !fault.Is(err, fault.Conflict) {
		t.Errorf("another size: got %v, want Conflict", err)
	}
	begins(t, thick, name, 1)
	begins(t, thin, name, 2)
	for _, b := range []*Backend{thick, thin} {
		if got := names(t, b); len(got) != 1 || got[0] != name {
			t.Errorf("%v", got)
		}
	}

	must(t, thick.Delete(t.Context(), name))
	begins(t, thin, name, 2)
	thin = opened(t, pool) // a new process learns of it
	begins(t, thin, name, 2)
	ordinary(t, thin, name)

	must(t, thick.Import(t.Context(), name, 2*unit, marked(3)))
	must(t, thin.Delete(t.Context(), name))
	begins(t, thick, name, 3)
	if a, b := names(t, thick), names(t, thin); len(a) != 1 || a[0] != name || len(b) != 0 {
		t.Errorf("the thick pool has %v, the thin one %v", a, b)
	}
	if _, ok, err := thick.find(t.Context(), name); err != nil || !ok {
		t.Errorf("back, it has not its own name: %v", err)
	}
}

// ordinary does to a volume that begins with 2 what can be done to any, and makes it twice
// as long.
func ordinary(t *testing.T, b *Backend, name string) {
	t.Helper()
	ctx, none := t.Context(), func(int64) {}
	snapshot, clone := backend.SnapshotName(uuid.NewString()), backend.VolumeName(uuid.NewString())
	must(t, b.Snapshot(ctx, name, snapshot))
	must(t, b.Snapshot(ctx, name, snapshot))
	path, err := b.Device(ctx, name)
	must(t, err)
	must(t, mark(path, 4))
	if changed, err := b.Changes(ctx, identity(t, b, snapshot), name); err != nil || len(changed) != 1 {
		t.Errorf("changed: %v, %v", changed, err)
	}
	must(t, b.Clone(ctx, name, clone, unit, none))
	begins(t, b, clone, 4)
	must(t, b.Revert(ctx, name, snapshot, unit, none))
	begins(t, b, name, 2)
	must(t, b.Delete(ctx, clone))
	must(t, b.Delete(ctx, snapshot))
	must(t, b.Extend(ctx, name, 2*unit))
	must(t, b.Replace(ctx, name, 2*unit, marked(5)))
	begins(t, b, name, 5)

	// Managed by the name that is shown, as after a lost database, and let go.
	all, err := b.Manageable(ctx)
	must(t, err)
	if len(all) != 1 || all[0].Name != name || all[0].Refusal != "" || all[0].Snapshot {
		t.Errorf("manageable: %+v", all)
	}
	other := backend.VolumeName(uuid.NewString())
	must(t, b.Manage(ctx, backend.Adoption{Reference: name, Name: other, Bytes: 2 * unit}))
	begins(t, b, other, 5)
	must(t, b.Unmanage(ctx, other, name))
	begins(t, b, name, 5)
	must(t, b.Unmanage(ctx, name, name+aside))
	must(t, func() error { _, err := b.reports.get(ctx); return err }())
	begins(t, b, name, 5)
}

func identity(t *testing.T, b *Backend, name string) string {
	t.Helper()
	id, err := b.Identity(t.Context(), name)
	must(t, err)
	return id
}

// TestAsideThirdPool: two names are all there are.
func TestAsideThirdPool(t *testing.T) {
	guest.Require(t)
	thick, thin := opened(t, ""), opened(t, thinPool(t, 32*mebi))
	sh(t, "lvcreate", "-y", "-L", "32m", "-T", guest.VolumeGroup+"/third")
	t.Cleanup(func() { sh(t, "lvremove", "-y", guest.VolumeGroup+"/third") })
	third := opened(t, "third")
	name := made(t, thick, unit)
	must(t, thin.Import(t.Context(), name, unit, marked(2)))
	err := third.Import(t.Context(), name, unit, func(context.Context, string, bool) error { t.Error("bytes are brought"); return nil })
	if !fault.Is(err, fault.Unsupported) {
		t.Errorf("got %v, want Unsupported", err)
	}
	if got := names(t, third); len(got) != 0 {
		t.Errorf("the third pool has %v", got)
	}
	must(t, thick.Delete(t.Context(), name))
	must(t, third.Import(t.Context(), name, unit, marked(3)))
	must(t, thin.Delete(t.Context(), name))
	begins(t, third, name, 3)
}
