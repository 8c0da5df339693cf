package e2e

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// TestBackups: what a backup keeps is the volume as it was, whatever has happened to
// the volume, and to the database, since.
func TestBackups(t *testing.T) {
	t.Parallel()
	cloud := rig.Start(t, rig.Options{Nodes: 2, Backups: true})
	c := cloud.Client(t, rig.NewProject())
	h := rig.NewHost(t, c)
	v := rig.NewVolume(t, c, volumes.CreateOpts{Size: 1, Name: "data", Metadata: map[string]string{"purpose": "test"}})
	at(t, h, v.ID, func(s session) { write(t, s, gib) })
	full := rig.NewBackup(t, c, backups.CreateOpts{VolumeID: v.ID, Name: "full"})
	if full.Size != 1 || full.ObjectCount == 0 || full.IsIncremental || full.Container == "" {
		t.Errorf("%+v", full)
	}

	// While a machine has the volume: force, and the volume is in use again after.
	a := h.Attach(t, v.ID, "rw")
	s := h.Open(t, a.Login)
	if err := s.Write(t.Context(), 0, mib, 0x11); err != nil {
		t.Fatal(err)
	}
	if _, err := backups.Create(t.Context(), c, backups.CreateOpts{VolumeID: v.ID}).Extract(); !gophercloud.ResponseCodeIs(err, 400) {
		t.Errorf("a volume in use was backed up without force: %v", err)
	}
	increment := rig.NewBackup(t, c, backups.CreateOpts{VolumeID: v.ID, Incremental: true, Force: true})
	if !increment.IsIncremental || rig.AwaitVolume(t, c, v.ID, "in-use").Status != "in-use" {
		t.Errorf("%+v", increment)
	}
	s.Logout()
	h.Detach(t, a)
	if err := backups.Delete(t.Context(), c, full.ID).ExtractErr(); !gophercloud.ResponseCodeIs(err, 400) {
		t.Errorf("a backup that another adds to was deleted: %v", err)
	}
	rig.DeleteVolume(t, c, v.ID)

	isFull := func(s session) { wantSize(t, s, gib); verify(t, s, gib) }
	isIncrement := func(s session) {
		s.reads(0, mib, 0x11)
		s.reads(gib/2-4096, 8192, 0xb2)
		s.reads(gib-mib, mib, 0xc3)
	}
	ofFull := rig.Restore(t, c, full.ID, "")
	ofIncrement := rig.Restore(t, c, increment.ID, "")
	at(t, h, ofFull, isFull)
	at(t, h, ofIncrement, isIncrement)
	if v := rig.AwaitVolume(t, c, ofFull, "available"); v.Name != "data" || v.Metadata["purpose"] != "test" || v.Metadata["src_backup_id"] != full.ID {
		t.Errorf("%+v", v)
	}
	larger := rig.NewVolume(t, c, volumes.CreateOpts{Size: 2, BackupID: increment.ID})
	at(t, h, larger.ID, func(s session) { wantSize(t, s, 2*gib); isIncrement(s); s.reads(gib, mib, 0) })
	rig.Restore(t, c, full.ID, ofIncrement)
	at(t, h, ofIncrement, isFull)

	snap := rig.NewSnapshot(t, c, ofFull)
	at(t, h, ofFull, func(s session) { s.writes(0, mib, 0x33) })
	ofSnapshot := rig.NewBackup(t, c, backups.CreateOpts{VolumeID: ofFull, SnapshotID: snap.ID})
	rig.AwaitSnapshot(t, c, snap.ID, "available")
	at(t, h, rig.Restore(t, c, ofSnapshot.ID, ""), isFull)

	var exported []backups.BackupRecord
	for _, id := range []string{full.ID, increment.ID} {
		record, err := backups.Export(t.Context(), c, id).Extract()
		if err != nil {
			t.Fatal(err)
		}
		exported = append(exported, *record)
	}
	for _, records := range [][]backups.BackupRecord{exported, recordsOf(t, cloud.BackupStore(), full.ID, increment.ID)} {
		forgetAndImport(t, cloud, c, records, full.ID, increment.ID)
		at(t, h, rig.Restore(t, c, increment.ID, ""), isIncrement)
	}

	for _, id := range []string{increment.ID, full.ID, ofSnapshot.ID} {
		rig.DeleteBackup(t, c, id)
	}
	rig.Eventually(t, 30*time.Second, func() error { return noObjects(cloud.BackupStore()) })
}

// storeCommand runs `clinker backup` with nothing but the store.
func storeCommand(t *testing.T, store string) func(args ...string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "clinker.conf")
	text := fmt.Sprintf("[DEFAULT]\nstate_path = %s\nbackup_driver = posix\nbackup_posix_path = %s\n", dir, store)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), rig.Binary(t), append([]string{"--config", file, "backup"}, args...)...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return string(out)
	}
}

// recordsOf has the store itself say what backups it has, as when nobody exported
// records, after all that they consist of has been verified.
func recordsOf(t *testing.T, store string, ids ...string) (records []backups.BackupRecord) {
	t.Helper()
	run := storeCommand(t, store)
	run(append([]string{"verify"}, ids...)...)
	for line := range strings.Lines(run(append([]string{"record"}, ids...)...)) {
		service, url, _ := strings.Cut(strings.TrimSpace(line), " ")
		record, err := base64.StdEncoding.DecodeString(url) // the client encodes it again
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, backups.BackupRecord{BackupService: service, BackupURL: record})
	}
	return records
}

// forgetAndImport has the database lose backups, and get them again from records.
func forgetAndImport(t *testing.T, cloud *rig.Cloud, c *gophercloud.ServiceClient, records []backups.BackupRecord, ids ...string) {
	t.Helper()
	for _, sql := range []string{"DELETE FROM backups WHERE id = ANY($1::uuid[])", "DELETE FROM backup_history WHERE backup_id = ANY($1::uuid[])"} {
		if _, err := cloud.DB.Exec(t.Context(), sql, ids); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := cloud.DB.Exec(t.Context(), `UPDATE quota_usages SET in_use = in_use - $1 WHERE resource IN ('backups', 'backup_gigabytes')`, len(ids)); err != nil {
		t.Fatal(err)
	}
	for i, record := range records {
		if r, err := backups.Import(t.Context(), c, backups.ImportOpts(record)).Extract(); err != nil || r.ID != ids[i] {
			t.Fatalf("import: %+v %v", r, err)
		}
	}
	for _, id := range ids {
		if b := rig.AwaitBackup(t, c, id, "available"); b.ObjectCount == 0 {
			t.Errorf("%+v", b)
		}
	}
}

// noObjects tells what is left in a store that has no backups, beside its own id.
func noObjects(store string) error {
	return filepath.WalkDir(store, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(filepath.Dir(path)) != ".clinker" {
			err = fmt.Errorf("%s is left in the store", path)
		}
		return err
	})
}
