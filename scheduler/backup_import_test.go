package scheduler_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
	"clinker/volumed/rpc"
)

func TestImportIsHeldAgainstTheStore(t *testing.T) {
	t.Parallel()
	store := nodetest.NewStore("one")
	node := keeper("a", store)
	r := newRig(t, node)
	r.adjust = func(o *scheduler.Options) { o.Jobs.Grace = 50 * time.Millisecond }
	r.start()
	v := r.rests(r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) { v.Name = ptr("data") }).ID, "available")
	node.Write(vg, v.ID, "bytes")
	full := r.backupRests(r.backUp(v.ID, false, nil), db.BackupAvailable)
	increment := r.backupRests(r.backUp(v.ID, true, nil), db.BackupAvailable)
	if _, err := r.db.Pool().Exec(t.Context(), "TRUNCATE backups, backup_history; DELETE FROM quota_usages WHERE resource LIKE 'backup%'"); err != nil {
		t.Fatal(err)
	}
	load := func(b db.Backup, change func(*db.Backup)) string {
		t.Helper()
		b.Imported, b.RequestID, b.Origin = true, "req-import", db.Origin{}
		change(&b)
		r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.ImportBackup(ctx, &b, nil) })
		return b.ID
	}
	for want, change := range map[string]func(*db.Backup){
		"is not in the store":                     func(b *db.Backup) { b.ID = uuid.NewString() },
		"reaches the store that the record names": func(b *db.Backup) { b.Store = ptr("another") },
		"the record says another volume_id":       func(b *db.Backup) { b.VolumeID = uuid.NewString() },
		"the record says another parent_id":       func(b *db.Backup) { b.ParentID = ptr(uuid.NewString()) },
		"the backup is not in the store":          func(b *db.Backup) { b.Container = ptr("elsewhere") },
	} {
		failed := r.backupRests(load(full, change), db.BackupError)
		if !strings.Contains(*failed.FailReason, want) || failed.Store != nil {
			t.Errorf("%q, want %q", *failed.FailReason, want)
		}
		// A record that was not true gives no right to what it names.
		r.dropBackup(failed.ID)
		r.backupRests(failed.ID, "deleted")
	}
	if len(store.Backups()) != 2 {
		t.Fatal(store.Backups())
	}
	// The one that adds to it may come first, and keeps what it needs.
	if b := r.backupRests(load(increment, func(b *db.Backup) { b.Store, b.Container, b.DataTimestamp = nil, nil, nil }), db.BackupAvailable); b.DataTimestamp == nil {
		t.Errorf("%+v", b)
	}
	if b := r.backupRests(load(full, func(b *db.Backup) { b.ObjectCount = 77 }), db.BackupAvailable); b.ObjectCount != 1 || b.Origin.Name == nil || *b.Origin.Name != "data" {
		t.Errorf("%+v", b)
	}
	restored := r.rests(r.restoreToNew(increment.ID, 1), "available")
	if node.Volumes()[restored.ID].Content != "bytes" || *restored.Name != "data" {
		t.Errorf("%+v", restored)
	}
	err := r.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.BeginBackupDelete(t.Context(), full.ID, db.BackupDeleteBegin, "") })
	if !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	r.backupRests(increment.ID, db.BackupAvailable)
	r.dropBackup(increment.ID)
	r.backupRests(increment.ID, "deleted")
	// Without its parent in the store a backup is none.
	lone := increment
	lone.ParentID = nil
	store.Put(rpc.BackupPlace{ID: lone.ID, Container: "volumebackups"}, nodetest.Backup{BackupManifest: rpc.BackupManifest{
		Place: &rpc.BackupPlace{ID: lone.ID, Container: "volumebackups"}, VolumeID: v.ID, Bytes: gib, Parent: full.ID, ParentContainer: "nowhere"}})
	failed := r.backupRests(load(increment, func(*db.Backup) {}), db.BackupError)
	if !strings.Contains(*failed.FailReason, "that it adds to is not in the store") {
		t.Error(*failed.FailReason)
	}
	r.trueCounters()
}

// A record may be imported under another id: then two rows are one backup in the
// store, which goes with the last of them.
func TestImportUnderAnotherID(t *testing.T) {
	r, node, store, v := newBackupRig(t, nil)
	node.Write(vg, v.ID, "bytes")
	for round := range 3 {
		first := r.backupRests(r.backUp(v.ID, false, nil), db.BackupAvailable)
		second := first
		second.ID, second.DataID, second.Imported = uuid.NewString(), &first.ID, true
		r.tx(func(ctx context.Context, tx *db.Tx) error { return tx.ImportBackup(ctx, &second, nil) })
		r.backupRests(second.ID, db.BackupAvailable)
		ids := []string{first.ID, second.ID}
		if round == 2 { // both at once
			var dropping sync.WaitGroup
			for _, id := range ids {
				dropping.Go(func() { r.dropBackup(id) })
			}
			dropping.Wait()
		} else {
			r.dropBackup(ids[round])
			r.backupRests(ids[round], "deleted")
			left := ids[1-round]
			if copied := r.rests(r.restoreToNew(left, 1), "available"); node.Volumes()[copied.ID].Content != "bytes" {
				t.Error("the bytes went with one of two")
			}
			r.backupRests(left, db.BackupAvailable)
			r.dropBackup(left)
		}
		for _, id := range ids {
			r.backupRests(id, "deleted")
		}
		if len(store.Backups()) > 0 {
			t.Error(store.Backups())
		}
	}
	r.trueCounters()
}
