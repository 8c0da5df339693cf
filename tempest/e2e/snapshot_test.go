package e2e

import (
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// at runs do on a session with the volume, and detaches it.
func at(t *testing.T, h *rig.Host, volumeID string, do func(s session)) {
	t.Helper()
	a := h.Attach(t, volumeID, "rw")
	s := h.Open(t, a.Login)
	do(session{t, s})
	s.Logout()
	h.Detach(t, a)
}

// TestSnapshots: what a snapshot keeps is the volume as it was, for copies and
// for the volume itself, whatever has happened to that since.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	c := cloud.Client(t, rig.NewProject())
	h := rig.NewHost(t, c)
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})

	// Taken while a machine has the volume, and the machine goes on.
	a := h.Attach(t, v.ID, "rw")
	s := h.Open(t, a.Login)
	write(t, s, gib)
	snap := rig.NewSnapshot(t, c, v.ID)
	if snap.Size != 1 || snap.Progress != "100%" {
		t.Errorf("snapshot %+v", snap)
	}
	if err := s.Write(t.Context(), 0, gib, 0x11); err != nil {
		t.Error(err)
	}
	s.Logout()
	h.Detach(t, a)

	copied := rig.NewVolume(t, c, volumes.CreateOpts{Size: 2, SnapshotID: snap.ID})
	at(t, h, copied.ID, func(s session) {
		wantSize(t, s, 2*gib)
		verify(t, s, gib)
		s.reads(gib, mib, 0)
	})
	at(t, h, v.ID, func(s session) { s.reads(0, gib, 0x11) })

	if err := volumes.ExtendSize(t.Context(), c, v.ID, volumes.ExtendSizeOpts{NewSize: 2}).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	rig.AwaitVolume(t, c, v.ID, "available")
	at(t, h, v.ID, func(s session) { s.writes(gib, mib, 0x22) })
	rig.Revert(t, c, v.ID, snap.ID)
	if v := rig.AwaitVolume(t, c, v.ID, "available"); v.Size != 2 {
		t.Errorf("the API says %d GiB after the revert", v.Size)
	}
	rig.AwaitSnapshot(t, c, snap.ID, "available")
	at(t, h, v.ID, func(s session) {
		wantSize(t, s, 2*gib)
		verify(t, s, gib)
		s.reads(gib, mib, 0)
	})

	if err := volumes.Delete(t.Context(), c, v.ID, nil).ExtractErr(); !gophercloud.ResponseCodeIs(err, 400) {
		t.Errorf("a volume with a snapshot was deleted: %v", err)
	}
	if err := volumes.Delete(t.Context(), c, v.ID, volumes.DeleteOpts{Cascade: true}).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	rig.AwaitSnapshotGone(t, c, snap.ID)
	for _, id := range []string{snap.ID, v.ID} {
		rig.Eventually(t, 30*time.Second, func() error { return absent(cloud.Nodes[0].Volumes, id) })
	}
	at(t, h, copied.ID, func(s session) { verify(t, s, gib) })
	rig.DeleteVolume(t, c, copied.ID)
}

// TestSnapshotsOutliveCrashes kills everything while a snapshot is taken and
// while a volume is reverted.
func TestSnapshotsOutliveCrashes(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{})
	c := cloud.Client(t, rig.NewProject())
	h := rig.NewHost(t, c)
	crash := func() {
		for _, r := range cloud.Roles() {
			r.Kill()
		}
		for _, r := range cloud.Roles() {
			if err := r.Start(); err != nil {
				t.Fatal(err)
			}
		}
	}
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	at(t, h, v.ID, func(s session) { write(t, s, gib) })
	snap := rig.StartSnapshot(t, c, v.ID)
	crash()
	rig.AwaitSnapshot(t, c, snap.ID, "available")
	at(t, h, v.ID, func(s session) { s.writes(0, gib, 0x33) })
	rig.Revert(t, c, v.ID, snap.ID)
	crash()
	rig.AwaitVolume(t, c, v.ID, "available")
	rig.AwaitSnapshot(t, c, snap.ID, "available")
	at(t, h, v.ID, func(s session) { verify(t, s, gib) })
}
