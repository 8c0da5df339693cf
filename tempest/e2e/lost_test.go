package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/manageablevolumes"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// TestLostDatabase: nothing is taken away by a control plane that begins with an empty
// database, who uses a volume goes on, and docs/operating.md brings all of it back.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{Backups: true})
	project := rig.NewProject()
	c := cloud.Client(t, project)
	h := rig.NewHost(t, c)
	idle := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1, Name: "idle"})
	at(t, h, idle.ID, func(s session) { write(t, s, gib) })
	snap := rig.NewSnapshot(t, c, idle.ID)
	kept := rig.NewBackup(t, c, backups.CreateOpts{VolumeID: idle.ID})
	busy := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1})
	a := h.Attach(t, busy.ID, "rw")
	s := session{t, h.Open(t, a.Login)}

	cloud.LoseDatabase(t)
	for _, text := range []string{"a pool holds volumes that the database does not know", "a pool holds snapshots that the database does not know", "for an attachment that the database does not know"} {
		rig.Eventually(t, rig.Settle, func() error {
			if len(cloud.Scheduler.LogLines(text, 1)) == 0 {
				return fmt.Errorf("the scheduler does not say: %s", text)
			}
			return nil
		})
	}
	s.writes(0, mib, 0x5a) // the machine goes on

	if lost := manage(t, cloud, c, "volume-"+busy.ID); rig.AwaitVolume(t, c, lost, "error", "available").Status != "error" {
		t.Error("a volume was managed that a machine has")
	} else {
		rig.DeleteVolume(t, c, lost)
	}
	s.reads(0, mib, 0x5a)
	if out, err := export(t, cloud, "list"); err != nil || !strings.Contains(out, a.ID) || !strings.Contains(out, busy.ID) || !strings.Contains(out, h.Initiator) {
		t.Errorf("%v: %s", err, out)
	}
	s.Logout()
	if out, err := export(t, cloud, "revoke", a.ID); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	h.Refused(t, "after the export was revoked", a.Login)
	if out, err := export(t, cloud, "revoke", a.ID); err == nil || !strings.Contains(out, "no storage node exports") {
		t.Errorf("a second time: %v: %s", err, out)
	}

	back := manage(t, cloud, c, "volume-"+busy.ID)
	rig.AwaitVolume(t, c, back, "available")
	again := h.Attach(t, back, "rw")
	if out, err := export(t, cloud, "revoke", again.ID); err == nil || !strings.Contains(out, "delete it through the API") {
		t.Errorf("of an attachment that there is: %v: %s", err, out)
	}
	h.Detach(t, again)
	at(t, h, back, func(s session) { s.reads(0, mib, 0x5a) })

	back = manage(t, cloud, c, "volume-"+idle.ID)
	rig.AwaitVolume(t, c, back, "available")
	at(t, h, back, func(s session) { verify(t, s, gib); s.writes(0, mib, 0x11) })
	var managed struct{ Snapshot struct{ ID string } }
	call(t, c, "POST", "manageable_snapshots", "3.8", map[string]any{"snapshot": map[string]any{
		"volume_id": back, "ref": map[string]string{"source-name": "_snapshot-" + snap.ID}}}, &managed, 202)
	rig.AwaitSnapshot(t, c, managed.Snapshot.ID, "available")
	rig.Revert(t, c, back, managed.Snapshot.ID)
	rig.AwaitVolume(t, c, back, "available")
	at(t, h, back, func(s session) { verify(t, s, gib) })

	store := storeCommand(t, cloud.BackupStore())
	if out := store("record", "--project", rig.NewProject()); out != "" {
		t.Errorf("of a project that made none: %s", out)
	}
	if out := store("list"); !strings.Contains(out, project) || store("record", "--project", project) != store("record") {
		t.Errorf("of the project that made it: %s", out)
	}
	for _, record := range recordsOf(t, cloud.BackupStore(), kept.ID) {
		if _, err := backups.Import(t.Context(), c, backups.ImportOpts(record)).Extract(); err != nil {
			t.Fatal(err)
		}
	}
	rig.AwaitBackup(t, c, kept.ID, "available")
	at(t, h, rig.Restore(t, c, kept.ID, ""), func(s session) { verify(t, s, gib) })
	rig.DeleteBackup(t, c, kept.ID)
}

// manage asks for a volume of what lies in the first node's pool.
func manage(t *testing.T, cloud *rig.Cloud, c *gophercloud.ServiceClient, name string) (id string) {
	t.Helper()
	older := *c
	older.Microversion = "3.8"
	v, err := manageablevolumes.ManageExisting(t.Context(), &older, manageablevolumes.ManageExistingOpts{
		Host: cloud.Nodes[0].Name + "@" + rig.Backend, Ref: map[string]string{"source-name": name}}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// export runs `clinker export`.
func export(t *testing.T, cloud *rig.Cloud, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), rig.Binary(t), append([]string{"--config", filepath.Join(cloud.Dir, "control.conf"), "export"}, args...)...).CombinedOutput()
	return string(out), err
}
