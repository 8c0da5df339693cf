package db_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

// backup asks for one, as the API does.
func (s *stage) backup(volumeID string, incremental bool, change func(*db.Backup)) (db.Backup, error) {
	b := db.Backup{ID: uuid.NewString(), VolumeID: volumeID, ProjectID: "p", UserID: "u"}
	if change != nil {
		change(&b)
	}
	return b, s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.InsertBackup(ctx, &b, false, incremental, nil) })
}

// backedUp asks for one and ends it well.
func (s *stage) backedUp(volumeID string, incremental bool, change func(*db.Backup)) db.Backup {
	s.Helper()
	b, err := s.backup(volumeID, incremental, change)
	s.must(err)
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FinishBackup(ctx, b, 1) }))
	return s.readBackup(b.ID)
}

func (s *stage) readBackup(id string) db.Backup {
	s.Helper()
	b, err := s.Backup(s.Context(), id, "")
	s.must(err)
	return b
}

// An incremental backup adds to the newest good one of its volume and project, by
// the time of the data; one of a snapshot to what is older than the snapshot.
func TestWhatABackupAddsTo(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	v := s.placed(1)
	if _, err := s.backup(v.ID, true, nil); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "No backups available") {
		t.Error(err)
	}
	first := s.backedUp(v.ID, false, nil)
	snap := db.Snapshot{ID: uuid.NewString(), VolumeID: v.ID, ProjectID: "p", UserID: "u"}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := tx.InsertSnapshot(ctx, &snap, []string{"available"}, true, nil); err != nil {
			return err
		}
		_, err := tx.MoveSnapshot(ctx, snap.ID, db.SnapshotCreateDone, "", nil)
		return err
	}))
	second := s.backedUp(v.ID, true, nil)
	if *second.ParentID != first.ID {
		t.Error(*second.ParentID)
	}
	third, err := s.backup(v.ID, true, nil)
	s.must(err)
	if *third.ParentID != second.ID || s.readBackup(second.ID).Dependents != 0 || s.readBackup(first.ID).Dependents != 1 {
		t.Errorf("%+v", third)
	}
	s.must(s.tx(func(ctx context.Context, tx *db.Tx) error { return tx.FailBackup(ctx, third, strings.Repeat("x", 300)) }))
	if b := s.readBackup(third.ID); len(*b.FailReason) != 255 || b.Status != db.BackupError || s.volume(v.ID).Status != "available" {
		t.Errorf("%+v", b)
	}
	// A failed one does not stand in the way.
	if fourth := s.backedUp(v.ID, true, nil); *fourth.ParentID != second.ID {
		t.Error(*fourth.ParentID)
	}
	if ofSnapshot := s.backedUp(v.ID, true, func(b *db.Backup) { b.SnapshotID = &snap.ID }); *ofSnapshot.ParentID != first.ID || !ofSnapshot.DataTimestamp.Equal(snap.CreatedAt) {
		t.Errorf("%+v", ofSnapshot)
	}
	if s.snapshot(snap.ID).Status != db.SnapshotAvailable {
		t.Error(s.snapshot(snap.ID))
	}
	if _, err := s.backup(v.ID, true, func(b *db.Backup) { b.ProjectID = "q" }); !fault.Is(err, fault.Invalid) {
		t.Error("another project's was added to", err)
	}
	if wrong, err := s.RecountQuota(t.Context()); err != nil || len(wrong) > 0 {
		t.Error(wrong, err)
	}
}

// What a restored volume gets beside its bytes.
func TestWhatIsRestored(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	name, description := "data", "kept"
	full := db.Origin{Name: &name, Description: &description, Metadata: db.StringMap{"m": "1"}, ImageMetadata: db.StringMap{"os": "debian"}, Bootable: true}
	for what, c := range map[string]struct {
		origin db.Origin
		set    map[string]any
		same   bool
		want   string
	}{
		"all":                 {full, nil, false, `data kept {"m": "1", "src_backup_id": "B"} {"os": "debian"} true`},
		"a name of its own":   {full, map[string]any{"name": "own"}, false, `own - {"m": "1", "src_backup_id": "B"} {"os": "debian"} true`},
		"a name of a restore": {full, map[string]any{"name": "restore_backup_x", "description": "auto"}, false, `data kept {"m": "1", "src_backup_id": "B"} {"os": "debian"} true`},
		"nothing":             {db.Origin{}, map[string]any{"metadata": db.StringMap{"a": "b"}}, false, `- - {"a": "b", "src_backup_id": "B"} {} false`},
		"its own volume":      {full, nil, true, `data kept {"m": "1"} {"os": "debian"} true`},
		"its own, of another": {db.Origin{}, map[string]any{"metadata": db.StringMap{"src_backup_id": "other"}}, true, `- - {"src_backup_id": "B"} {} false`},
		"bootable by hand":    {db.Origin{Bootable: true}, nil, true, `- - {} {} true`},
	} {
		v := s.placed(1)
		b := db.Backup{ID: uuid.NewString(), VolumeID: v.ID, Origin: c.origin}
		if !c.same {
			b.VolumeID = uuid.NewString()
		}
		s.must(s.tx(func(ctx context.Context, tx *db.Tx) (err error) {
			v, err = tx.MoveVolume(ctx, v.ID, db.RestoreBegin, "", c.set)
			if err != nil {
				return err
			}
			return tx.FinishRestore(ctx, v, b)
		}))
		var got string
		s.must(s.DB.Pool().QueryRow(t.Context(), `SELECT concat_ws(' ', COALESCE(name, '-'), COALESCE(description, '-'), metadata::text, image_metadata::text, bootable::text)
			FROM volumes WHERE id = $1 AND status = 'available'`, v.ID).Scan(&got))
		if want := strings.ReplaceAll(c.want, "B\"", b.ID+"\""); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
}

// A service is that of a store for as long as its node says so; a backup stays bound
// to the store that it was bound to first.
func TestBindBackup(t *testing.T) {
	t.Parallel()
	s := newStage(t, true)
	v := s.placed(1)
	b, err := s.backup(v.ID, false, nil)
	s.must(err)
	service := db.Service{Host: "node", Daemon: db.DaemonBackup, AvailabilityZone: "nova", Endpoint: "https://127.0.0.1:1", BackupDriver: "s3", BackupStore: "one", BackupContainer: "c"}
	_, err = s.Heartbeat(t.Context(), service)
	s.must(err)
	found, err := s.BackupServices(t.Context())
	if err != nil || len(found) != 1 || found[0].BackupStore != "one" || !found[0].Up(time.Now(), time.Minute) {
		t.Error(found, err)
	}
	for range 2 {
		if bound, err := s.BindBackup(t.Context(), b, found[0]); err != nil || !bound {
			t.Error(bound, err)
		}
	}
	other := found[0]
	other.BackupStore = "two"
	if bound, err := s.BindBackup(t.Context(), b, other); err != nil || bound {
		t.Error(bound, err)
	}
	if b := s.readBackup(b.ID); *b.Store != "one" || *b.Container != "c" || *b.Service != "cinder.backup.drivers.s3.S3BackupDriver" {
		t.Errorf("%+v", b)
	}
	b.Generation--
	if bound, _ := s.BindBackup(t.Context(), b, found[0]); bound {
		t.Error("a late worker has bound it")
	}
}
