package lvm

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// must ends the test at an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made makes a volume that is gone after the test, with its snapshots.
func made(t *testing.T, b *Backend, size int64) string {
	t.Helper()
	id := uuid.NewString()
	t.Cleanup(func() { cleared(b)(t, []string{id}) })
	must(t, b.Create(t.Context(), backend.VolumeName(id), size))
	return backend.VolumeName(id)
}

// TestOpen: what is wrong with a volume group is said with its remedy.
func TestOpen(t *testing.T) {
	guest.Require(t)
	thinPool(t, 32*mebi)
	pool := guest.VolumeGroup + "/pool"
	sh(t, "lvchange", "-Zn", pool)
	sh(t, "lvcreate", "-y", "-L", "4m", "-n", "linear", guest.VolumeGroup)
	t.Cleanup(func() { sh(t, "lvremove", "-y", guest.VolumeGroup+"/linear") })
	for _, test := range []struct {
		options Options
		code    fault.Code
		says    string
	}{
		{Options{VolumeGroup: "-n"}, fault.Invalid, "not the name"},
		{Options{VolumeGroup: guest.VolumeGroup, ThinPool: "a/b"}, fault.Invalid, "not the name"},
		{Options{VolumeGroup: "missing"}, fault.Unavailable, "vgcreate missing"},
		{Options{VolumeGroup: guest.VolumeGroup, ThinPool: "missing"}, fault.Unavailable, "lvcreate -L SIZE -T vg0/missing"},
		{Options{VolumeGroup: guest.VolumeGroup, ThinPool: "linear"}, fault.Invalid, "not a thin pool"},
		{Options{VolumeGroup: guest.VolumeGroup, ThinPool: "pool"}, fault.Invalid, "lvchange -Zy vg0/pool"},
	} {
		_, err := Open(t.Context(), test.options)
		if !fault.Is(err, test.code) || !strings.Contains(fault.MessageOf(err), test.says) {
			t.Errorf("%+v: got %v, want %s with %q", test.options, err, test.code, test.says)
		}
	}
	sh(t, "lvchange", "-Zy", pool)
	b := opened(t, "pool")
	for range 2 { // the second time the pool has become inactive by itself
		c, err := b.Capacity(t.Context())
		if err != nil || c.TotalBytes != 32*mebi || c.FreeBytes == 0 || len(c.Disks) != 1 || !c.Thin {
			t.Errorf("capacity %+v, %v", c, err)
		}
		sh(t, "lvchange", "-an", pool)
	}
}

// TestAfterBoot: nothing is active then.
func TestAfterBoot(t *testing.T) {
	guest.Require(t)
	pool := thinPool(t, 64*mebi)
	thick, thin := opened(t, ""), opened(t, pool)
	made(t, thin, unit)
	origin, snapshot := made(t, thick, unit), backend.SnapshotName(uuid.NewString())
	must(t, thick.Snapshot(t.Context(), origin, snapshot))
	sh(t, "vgchange", "-an", guest.VolumeGroup)
	for _, device := range []string{origin, snapshot} {
		path, err := thick.Device(t.Context(), device)
		if err != nil || !isBlockDevice(path) {
			t.Errorf("%s: %s, %v", device, path, err)
		}
	}
	sh(t, "vgchange", "-an", guest.VolumeGroup)
	for _, b := range []*Backend{opened(t, ""), opened(t, pool)} {
		before := b.started.Load()
		for _, entry := range b.entries(t) {
			path, err := b.Device(t.Context(), entry.Name)
			if err != nil || !isBlockDevice(path) {
				t.Errorf("%s: %s, %v", entry.Name, path, err)
			}
		}
		if n := b.started.Load() - before; n > 1 {
			t.Errorf("%d programs after Open, want all volumes active", n)
		}
		if _, err := b.Capacity(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func (b *Backend) entries(t *testing.T) []backend.Entry {
	t.Helper()
	entries, err := b.List(t.Context())
	must(t, err)
	return entries
}

// TestFragmented: a volume in several pieces is one volume.
func TestFragmented(t *testing.T) {
	guest.Require(t)
	b := opened(t, "")
	first := made(t, b, unit)
	made(t, b, unit)
	must(t, b.Extend(t.Context(), first, 2*unit))
	if entries := b.entries(t); len(entries) != 2 {
		t.Errorf("List shows %v, want two volumes", entries)
	}
	if c, err := b.Capacity(t.Context()); err != nil || c.LiveBytes != 3*unit {
		t.Errorf("capacity %+v, %v", c, err)
	}
	if size, ok, err := b.size(t.Context(), first); err != nil || !ok || size != 2*unit {
		t.Errorf("the kernel says %d, %v, %v", size, ok, err)
	}
}

// TestSuspended: an LVM program that was killed can leave a volume that hangs.
func TestSuspended(t *testing.T) {
	guest.Require(t)
	b := opened(t, "")
	name := made(t, b, unit)
	sh(t, "dmsetup", "suspend", guest.VolumeGroup+"/"+name)
	path, err := b.Device(t.Context(), name)
	must(t, err)
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	if _, err := f.Read(make([]byte, 512)); err != nil {
		t.Error(err)
	}
}

// TestHalfExtended: LVM's metadata say that the volume is longer, the kernel not yet.
func TestHalfExtended(t *testing.T) {
	guest.Require(t)
	b := opened(t, "")
	name := made(t, b, unit)
	sh(t, "lvchange", "-an", guest.VolumeGroup+"/"+name)
	sh(t, "lvextend", "-L", inBytes(2*unit), guest.VolumeGroup+"/"+name)
	sh(t, "lvchange", "-ay", guest.VolumeGroup+"/"+name)
	must(t, b.Extend(t.Context(), name, 2*unit))
	if size, _, err := b.size(t.Context(), name); err != nil || size != 2*unit {
		t.Errorf("%d bytes, %v", size, err)
	}
}

// TestSnapshotHoldsAll: a snapshot does not overflow, not even when its volume was
// extended and then written to from end to end; and while something has it open,
// a volume with snapshots cannot grow.
func TestSnapshotHoldsAll(t *testing.T) {
	guest.Require(t)
	b := opened(t, "")
	name, snapshot := made(t, b, unit), backend.SnapshotName(uuid.NewString())
	must(t, b.Snapshot(t.Context(), name, snapshot))
	path, err := b.Device(t.Context(), name)
	must(t, err)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	if err := b.Extend(t.Context(), name, 2*unit); !fault.Is(err, fault.Busy) {
		t.Errorf("extending an open volume with a snapshot: got %v, want Busy", err)
	}
	f.Close()
	for range 2 {
		must(t, b.Extend(t.Context(), name, 2*unit))
	}
	if err := b.Extend(t.Context(), name, unit); !fault.Is(err, fault.Invalid) {
		t.Errorf("shrinking: got %v, want Invalid", err)
	}
	f, err = os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt(make([]byte, 2*unit), 0)
	must(t, err)
	must(t, f.Sync())
	d, _, err := b.mapped(snapshot)
	if err != nil || d.Type() != "snapshot" || strings.Contains(d.Targets[0].Status, "nvalid") {
		t.Errorf("the snapshot is %+v, %v", d, err)
	}
}

// TestWipeOfLittle: the wipe of a large snapshot that kept little writes little.
func TestWipeOfLittle(t *testing.T) {
	guest.Require(t)
	b := opened(t, "")
	name, snapshot := made(t, b, 512*mebi), backend.SnapshotName(uuid.NewString())
	must(t, b.Snapshot(t.Context(), name, snapshot))
	must(t, b.Delete(t.Context(), snapshot))
	trash, err := b.Trash(t.Context())
	must(t, err)
	spent := 0
	for _, entry := range trash {
		must(t, b.Purge(t.Context(), entry.Name, func(_ context.Context, bytes int) error { spent += bytes; return nil }))
	}
	if len(trash) != 1 || spent == 0 || spent > 80*mebi {
		t.Errorf("%d bytes were written to wipe %v", spent, trash)
	}
}

// TestTrashInUse: what something still has open is not wiped under it.
func TestTrashInUse(t *testing.T) {
	guest.Require(t)
	b := opened(t, "")
	name := made(t, b, unit)
	must(t, b.Delete(t.Context(), name))
	trash, err := b.Trash(t.Context())
	must(t, err)
	path, err := b.device(t.Context(), trash[0].Name)
	must(t, err)
	f, err := os.Open(path)
	must(t, err)
	err = b.Purge(t.Context(), trash[0].Name, func(context.Context, int) error { t.Error("it was wiped"); return nil })
	if !fault.Is(err, fault.Busy) {
		t.Errorf("got %v, want Busy", err)
	}
	must(t, f.Close())
}

// TestOtherPool: a thin backend does not delete a thick volume, which needs a wipe.
func TestOtherPool(t *testing.T) {
	guest.Require(t)
	thick, thin := opened(t, ""), opened(t, thinPool(t, 32*mebi))
	name := made(t, thick, unit)
	must(t, thin.Delete(t.Context(), name))
	if err := thin.Create(t.Context(), name, unit); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want Conflict", err)
	}
	if entries := thick.entries(t); len(entries) != 1 || len(thin.entries(t)) != 0 {
		t.Errorf("the thick pool has %v", entries)
	}
	thinly := made(t, thin, unit)
	must(t, thick.Delete(t.Context(), thinly))
	if err := thick.Create(t.Context(), thinly, unit); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v, want Conflict", err)
	}
	if a, b := thick.entries(t), thin.entries(t); len(a) != 1 || len(b) != 1 {
		t.Errorf("the thick pool has %v, the thin one %v", a, b)
	}
}
