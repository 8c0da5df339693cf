package scheduler_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

// tryBackUp asks for a backup, as the API does.
func (r *rig) tryBackUp(volumeID string, incremental bool, change func(*db.Backup)) (string, error) {
	b := db.Backup{ID: uuid.NewString(), VolumeID: volumeID, ProjectID: "p", UserID: "u", RequestID: "req-backup"}
	if change != nil {
		change(&b)
	}
	return b.ID, r.db.Tx(r.Context(), func(tx *db.Tx) error { return tx.InsertBackup(r.Context(), &b, true, incremental, nil) })
}

func (r *rig) backUp(volumeID string, incremental bool, change func(*db.Backup)) string {
	r.Helper()
	id, err := r.tryBackUp(volumeID, incremental, change)
	if err != nil {
		r.Fatal(err)
	}
	return id
}

func (r *rig) restoreOver(id, volumeID string) {
	r.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginRestoreOver(ctx, id, volumeID, "req-restore")
	})
}

func (r *rig) restoreToNew(id string, sizeGiB int) string {
	r.Helper()
	v := r.request(sizeGiB, func(v *db.Volume, _ *db.VolumeCreateArgs) {
		v.BackupID = &id
		r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.BeginRestoreToNew(ctx, id, v.ID) })
	})
	return v.ID
}

func (r *rig) dropBackup(id string) {
	r.Helper()
	r.tx(func(ctx context.Context, tx *db.Tx) error {
		return tx.BeginBackupDelete(ctx, id, db.BackupForceDelete, "req-delete")
	})
}

// backupRests waits until the backup has the status; "deleted" means gone.
func (r *rig) backupRests(id, status string) db.Backup {
	r.Helper()
	var b db.Backup
	r.eventually("backup becomes "+status, func() bool {
		found, err := r.db.Backup(r.Context(), id, "")
		b = found
		return err != nil && status == "deleted" || err == nil && b.Status == status
	})
	return b
}

func ptr[T any](v T) *T { return &v }

func keeper(host string, store *nodetest.Store) *nodetest.Node {
	return nodetest.New(host).WithPool("lvm", "vg", 100*gib).WithStore(store)
}

// newBackupRig is a rig with one node that reaches a store, and a volume on it. adjust
// may be nil.
func newBackupRig(t *testing.T, adjust func(*scheduler.Options)) (*rig, *nodetest.Node, *nodetest.Store, db.Volume) {
	t.Helper()
	t.Parallel()
	store := nodetest.NewStore("one")
	node := keeper("a", store)
	r := newRig(t, node)
	if adjust != nil {
		r.adjust = adjust
	}
	r.start()
	return r, node, store, r.rests(r.request(1, nil).ID, "available")
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	store := nodetest.NewStore("one")
	node := keeper("a", store)
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(2, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.Name = ptr("data"); v.Metadata = db.StringMap{"m": "1"} }).ID, "available")
	node.Write(vg, v.ID, "monday")
	full := r.backUp(v.ID, false, nil)
	b := r.backupRests(full, db.BackupAvailable)
	if b.ObjectCount != 1 || *b.Store != "one" || *b.Host != "a" || *b.Container != "volumebackups" || *b.AvailabilityZone != "nova" ||
		*b.Service != "cinder.backup.drivers.posix.PosixBackupDriver" || r.read(v.ID).Status != "available" {
		t.Errorf("%+v", b)
	}
	node.Write(vg, v.ID, "tuesday")
	increment := r.backUp(v.ID, true, func(b *db.Backup) { b.Container = ptr("mine") })
	if b := r.backupRests(increment, db.BackupAvailable); *b.ParentID != full {
		t.Errorf("%+v", b)
	}
	if m := store.Backups()[rpc.BackupPlace{ID: increment, Container: "mine"}]; m.Parent != full || m.ParentContainer != "volumebackups" || m.Bytes != 2*gib || !strings.Contains(m.Metadata["origin"], `"name":"data"`) {
		t.Errorf("%+v", m)
	}
	r.delete(v.ID)
	r.rests(v.ID, "deleted")
	restored := r.restoreToNew(increment, 3)
	fromFull := r.request(2, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.BackupID = &full }).ID
	if v := r.rests(restored, "available"); *v.Name != "data" || v.Metadata["m"] != "1" || v.Metadata["src_backup_id"] != increment || v.LaunchedAt == nil {
		t.Errorf("%+v", v)
	}
	r.backupRests(increment, db.BackupAvailable)
	r.rests(fromFull, "available")
	if has := node.Volumes(); has[restored].Content != "tuesday" || has[restored].Bytes != 3*gib || has[fromFull].Content != "monday" {
		t.Error(has)
	}
	r.restoreOver(full, restored)
	r.rests(restored, "available")
	r.backupRests(full, db.BackupAvailable)
	if has := node.Volumes(); has[restored].Content != "monday" {
		t.Error(has)
	}
	if err := r.db.Tx(t.Context(), func(tx *db.Tx) error {
		return tx.BeginBackupDelete(t.Context(), full, db.BackupDeleteBegin, "")
	}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	r.dropBackup(increment)
	r.backupRests(increment, "deleted")
	r.dropBackup(full)
	r.backupRests(full, "deleted")
	if len(store.Backups()) > 0 {
		t.Error(store.Backups())
	}
	r.trueCounters()
}

func TestBackupOfASnapshot(t *testing.T) {
	r, node, store, v := newBackupRig(t, nil)
	node.Write(vg, v.ID, "then")
	s := r.snapshotRests(r.take(v.ID), "available")
	node.Write(vg, v.ID, "now")
	id := r.backUp(v.ID, false, func(b *db.Backup) { b.SnapshotID = &s.ID })
	b := r.backupRests(id, db.BackupAvailable)
	if r.snapshotRests(s.ID, "available"); store.Backups()[rpc.BackupPlace{ID: id, Container: "volumebackups"}].Content != "then" || !b.DataTimestamp.Equal(s.CreatedAt) {
		t.Errorf("%+v", b)
	}
}

func TestNoBackupService(t *testing.T) {
	t.Parallel()
	node := nodetest.New("a").WithPool("lvm", "vg", 100*gib)
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) { o.Jobs.Grace = 50 * time.Millisecond }
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	id := r.backUp(v.ID, false, nil)
	b := r.backupRests(id, db.BackupError)
	if !strings.HasPrefix(*b.FailReason, "Service not found for creating backup.") || b.Store != nil {
		t.Errorf("%+v", b)
	}
	r.rests(v.ID, "available")
	if m := r.messages(); len(m) != 1 || m[0].EventID != "VOLUME_VOLUME_BACKUP_013_024" || m[0].UserMessage() == "" {
		t.Error(m)
	}
	r.dropBackup(id)
	r.backupRests(id, "deleted")
	r.trueCounters()
}

// A node that fails leaves the backup in error, with the reason, and the volume as
// it was; what is in the way for a moment is waited for.
func TestBackupFails(t *testing.T) {
	t.Parallel()
	node := keeper("a", nodetest.NewStore("one"))
	r := newRig(t, node)
	r.start()
	v := r.rests(r.request(1, nil).ID, "available")
	node.Break(nodetest.Fault{Method: "backup", Err: fault.New(fault.NoSpace, "the store is full")})
	b := r.backupRests(r.backUp(v.ID, false, nil), db.BackupError)
	if !strings.Contains(*b.FailReason, "the store is full") || r.read(v.ID).Status != "available" {
		t.Errorf("%+v", b)
	}
	node.Mend()
	node.Break(nodetest.Fault{Method: "backup", Err: fault.New(fault.Busy, "somebody writes"), Times: 2})
	r.backupRests(r.backUp(v.ID, false, nil), db.BackupAvailable)
	node.Break(nodetest.Fault{Method: "restore", Err: fault.New(fault.Invalid, "a chunk is damaged")})
	id := r.backUp(v.ID, false, nil)
	r.backupRests(id, db.BackupAvailable)
	r.restoreOver(id, v.ID)
	r.rests(v.ID, "error_restoring")
	r.backupRests(id, db.BackupAvailable)
	failed := r.restoreToNew(id, 1)
	r.rests(failed, "error")
	r.backupRests(id, db.BackupAvailable)
	told := ""
	for _, m := range r.messages() {
		told += m.EventID + " " + m.Detail + "\n"
	}
	if !strings.Contains(told, "VOLUME_VOLUME_BACKUP_013_020") || !strings.Contains(told, "VOLUME_VOLUME_BACKUP_015_026") || !strings.Contains(told, "VOLUME_VOLUME_015_026") || !strings.Contains(told, "a chunk is damaged") {
		t.Error(told)
	}
	r.trueCounters()
}

// A volume of a backup is made where its store is reached, or not at all.
func TestRestoreGoesWhereItsStoreIs(t *testing.T) {
	t.Parallel()
	one, two := nodetest.NewStore("one"), nodetest.NewStore("two")
	a, b, c := keeper("a", one), keeper("b", two), keeper("c", one)
	r := newRig(t, a, b, c)
	r.adjust = func(o *scheduler.Options) { o.Jobs.Grace = 50 * time.Millisecond }
	r.start()
	v := r.request(1, nil)
	r.rests(v.ID, "available")
	for !strings.HasPrefix(*r.read(v.ID).Host, "b@") {
		v = r.request(1, nil)
		r.rests(v.ID, "available")
	}
	id := r.backUp(v.ID, false, nil)
	r.backupRests(id, db.BackupAvailable)
	for range 3 {
		if v := r.rests(r.restoreToNew(id, 1), "available"); !strings.HasPrefix(*v.Host, "b@") {
			t.Errorf("%+v", v)
		}
		r.backupRests(id, db.BackupAvailable)
	}
	if _, err := r.db.Pool().Exec(t.Context(), "UPDATE services SET disabled = true WHERE host = 'b' AND daemon = 'cinder-backup'"); err != nil {
		t.Fatal(err)
	}
	r.rests(r.restoreToNew(id, 1), "error")
	r.backupRests(id, db.BackupAvailable)
	if m := r.messages(); len(m) != 1 || !strings.Contains(m[0].Detail, "BackupStoreFilter refused 3 of 3 pools. No storage node that is up reaches the store that the backup lies in.") {
		t.Error(m)
	}
	// Without a node that reaches its store it cannot go; when there is one it does.
	r.dropBackup(id)
	r.backupRests(id, db.BackupErrorDeleting)
	if _, err := r.db.Pool().Exec(t.Context(), "UPDATE services SET disabled = false"); err != nil {
		t.Fatal(err)
	}
	r.eventually("it goes", func() bool {
		r.sweep()
		_, err := r.db.Backup(t.Context(), id, "")
		return fault.Is(err, fault.NotFound)
	})
}

// Deletion waits for the volumes that are being made of a backup.
func TestBackupDeleteWaitsForCopies(t *testing.T) {
	r, node, store, v := newBackupRig(t, nil)
	node.Write(vg, v.ID, "bytes")
	id := r.backUp(v.ID, false, nil)
	r.backupRests(id, db.BackupAvailable)
	node.SetSlow(300 * time.Millisecond)
	var copies []string
	for range 3 {
		copies = append(copies, r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.BackupID = &id }).ID)
	}
	r.dropBackup(id)
	for _, copied := range copies {
		r.rests(copied, "available")
		if node.Volumes()[copied].Content != "bytes" {
			t.Error(copied)
		}
	}
	r.backupRests(id, "deleted")
	if len(store.Backups()) > 0 {
		t.Error(store.Backups())
	}
}
