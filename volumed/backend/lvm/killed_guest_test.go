package lvm

import (
	"context"
	"os"
	"testing"

	"github.com/google/uuid"

	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// TestRenamedLate: the lvrename of a process that was killed gives an earlier copy its
// name while the next process makes another. The volume is whole then.
func TestRenamedLate(t *testing.T) {
	guest.Require(t)
	thick, thin := opened(t, ""), opened(t, thinPool(t, 128*mebi))
	for _, b := range []*Backend{thick, thin} {
		name := renamed(t, b)
		late := func(context.Context, string, bool) error {
			must(t, b.pool.create(t.Context(), name, unit))
			return nil
		}
		if err := b.Import(t.Context(), name, unit, late); err != nil {
			t.Errorf("%T: import: %v", b.pool, err)
		}
	}
	source, name := made(t, thick, unit), renamed(t, thick)
	err := thick.Clone(t.Context(), source, name, unit, func(done int64) {
		if done == unit {
			must(t, thick.pool.create(t.Context(), name, unit))
		}
	})
	if err != nil {
		t.Errorf("clone: %v", err)
	}
}

// TestKilledInRename: LVM's metadata have the new name, while the kernel has the old
// one and holds all I/O.
func TestKilledInRename(t *testing.T) {
	guest.Require(t)
	thick, thin := opened(t, ""), opened(t, thinPool(t, 128*mebi))
	for _, b := range []*Backend{thick, thin} {
		name := made(t, b, unit)
		device := guest.VolumeGroup + "/" + name
		sh(t, "dmsetup", "suspend", device)
		sh(t, "dmsetup", "rename", device, "vg0-_trash--old")
		b.reports.drop()
		must(t, b.Import(t.Context(), name, unit, func(context.Context, string, bool) error { t.Error("it is copied again"); return nil }))
		path, err := b.Device(t.Context(), name)
		must(t, err)
		f, err := os.Open(path)
		must(t, err)
		_, err = f.Read(make([]byte, 512))
		must(t, err)
		must(t, f.Close())
		must(t, b.Delete(t.Context(), name))
	}
}

// renamed gives a volume's name, and takes whatever has it away after the test.
func renamed(t *testing.T, b *Backend) string {
	t.Helper()
	id := uuid.NewString()
	t.Cleanup(func() { cleared(b)(t, []string{id}) })
	return backend.VolumeName(id)
}
