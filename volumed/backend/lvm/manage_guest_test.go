package lvm

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// byHand makes a logical volume by hand until the test ends.
func byHand(t *testing.T, name string, args ...string) {
	t.Helper()
	sh(t, append([]string{"lvcreate", "-y", "-n", name}, args...)...)
}

// overwrite fills 16 MiB with one byte.
func overwrite(t *testing.T, path string, with byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_SYNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(bytes.Repeat([]byte{with}, 16*mebi)); err != nil {
		t.Fatal(err)
	}
}

// TestManageByHand: what an administrator made without Clinker, with all that can
// be in a volume group beside it.
func TestManageByHand(t *testing.T) {
	guest.Require(t)
	b, ctx := opened(t, ""), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const vg = guest.VolumeGroup
	byHand(t, "data", "-L", "16m", vg)
	path, err := b.device(ctx, "data")
	must(err)
	overwrite(t, path, 2)
	byHand(t, "kept", "-s", "-l", "1", vg+"/data")
	sh(t, "lvcreate", "-y", "-L", "32m", "-T", vg+"/thinpool")
	byHand(t, "thinly", "-V", "8m", "-T", vg+"/thinpool")
	byHand(t, "asleep", "-an", "-Wn", "-Zn", "-L", "8m", vg)
	volume, snapshot, woken := backend.VolumeName(uuid.NewString()), backend.SnapshotName(uuid.NewString()), backend.VolumeName(uuid.NewString())
	t.Cleanup(func() {
		sh(t, "lvremove", "-y", vg, "--select", "lv_name=data || lv_name=kept || lv_name=thinly || lv_name=thinpool || lv_name=asleep || "+
			"lv_name=~volume- || lv_name=~_snapshot-")
	})

	all, err := b.Manageable(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]backend.Candidate{}
	for _, c := range all {
		seen[c.Name] = c
		t.Logf("%+v", c)
	}
	for name, want := range map[string]struct{ snapshot, fit bool }{
		"data": {false, true}, "kept": {true, true}, "thinpool": {false, false}, "thinly": {false, false}, "asleep": {false, true},
	} {
		if c, ok := seen[name]; !ok || c.Snapshot != want.snapshot || (c.Refusal == "") != want.fit {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if seen["kept"].Origin != "data" || seen["kept"].Bytes != 16*mebi {
		t.Errorf("kept: %+v", seen["kept"])
	}
	for reference, want := range map[string]fault.Code{"thinpool": fault.Conflict, "thinly": fault.Conflict, "kept": fault.Conflict,
		"thinpool_tdata": fault.NotFound, "lvol0_pmspare": fault.NotFound, "none": fault.NotFound} {
		err := b.Manage(ctx, backend.Adoption{Reference: reference, Name: backend.VolumeName(uuid.NewString()), Bytes: mebi})
		if !fault.Is(err, want) {
			t.Errorf("%s: %v, want %v", reference, err, want)
		}
	}

	must(b.Manage(ctx, backend.Adoption{Reference: "data", Name: volume, Bytes: 16 * mebi}))
	must(b.Manage(ctx, backend.Adoption{Reference: "kept", Name: snapshot, Bytes: 16 * mebi, Origin: volume}))
	must(b.Manage(ctx, backend.Adoption{Reference: "asleep", Name: woken, Bytes: 12 * mebi}))
	if entries, err := b.List(ctx); err != nil || len(entries) != 3 {
		t.Fatal(entries, err)
	}
	// Its store, of one extent, would overflow; it was made to hold all.
	path, err = b.Device(ctx, volume)
	must(err)
	overwrite(t, path, 1)
	d, active, err := b.mapped(snapshot)
	if err != nil || !active || len(d.Targets) != 1 || d.Targets[0].Status == "Invalid" || d.Targets[0].Status == "Overflow" {
		t.Fatalf("%+v %v %v", d, active, err)
	}
	path, err = b.Device(ctx, snapshot)
	must(err)
	content, err := os.ReadFile(path)
	must(err)
	for at, c := range content {
		if c != 2 {
			t.Fatalf("the snapshot has at %d what was not there when it was taken", at)
		}
	}

	must(b.Unmanage(ctx, volume, "data"))
	if v, ok, err := b.find(ctx, snapshot); err != nil || !ok || v.Origin != "data" {
		t.Errorf("%+v %v %v", v, ok, err)
	}
}
