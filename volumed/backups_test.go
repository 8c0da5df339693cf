package volumed

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backup"
	"clinker/volumed/backup/posix"
	"clinker/volumed/rpc"
)

// backups makes the rig's node one that keeps backups in a directory.
func (r *rig) backups() {
	directory := filepath.Join(r.dir, "..", "store")
	driver, err := posix.New(directory)
	r.must(err)
	r.options.Backups = &Backups{Driver: "posix", Container: "volumebackups", AtOnce: 2,
		Store: backup.New(backup.Options{Driver: driver, Location: "posix:" + directory, Note: filepath.Join(r.dir, "..", "backup-store"), Compress: true})}
	r.restart()
}

func place(id string) rpc.BackupPlace { return rpc.BackupPlace{ID: id, Container: "volumebackups"} }

func sourceOf(volume string) rpc.BackupSource {
	return rpc.BackupSource{Source: rpc.Source{Kind: rpc.KindVolume, ID: volume}, VolumeID: volume, Bytes: size, Metadata: map[string]string{"name": "my volume"}}
}

// backedUp backs a volume up and gives the backup's id.
func (r *rig) backedUp(source rpc.BackupSource) string {
	r.t.Helper()
	id := uuid.NewString()
	o, err := r.Backup(r.t.Context(), fence(id, 1), poolName, place(id), source)
	r.done(o, err)
	if o.BytesDone != source.Bytes || o.BytesTotal != source.Bytes {
		r.t.Errorf("%d of %d bytes", o.BytesDone, o.BytesTotal)
	}
	return id
}

func (r *rig) holds(volume string, want []byte) {
	r.t.Helper()
	got, err := os.ReadFile(r.file(volume))
	r.must(err)
	if !bytes.Equal(got, want) {
		r.t.Errorf("volume %s holds something else", volume)
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.backups()
	v := r.volume()
	r.fill(v, 'a')
	full := r.backedUp(sourceOf(v))
	m, err := r.BackupManifest(ctx, place(full))
	r.must(err)
	if m.VolumeID != v || m.Bytes != size || m.Parent != "" || m.Objects != 2 || m.Metadata["name"] != "my volume" {
		t.Errorf("%+v", m)
	}
	was, err := os.ReadFile(r.file(v))
	r.must(err)
	r.fill(v, 'b')
	more := sourceOf(v)
	more.Parent, more.ParentContainer = full, "volumebackups"
	incremental := r.backedUp(more)
	is, err := os.ReadFile(r.file(v))
	r.must(err)

	for id, want := range map[string][]byte{full: was, incremental: is} {
		fresh := uuid.NewString()
		r.done(r.Restore(ctx, fence(fresh, 1), poolName, place(id), 2*size, false))
		r.holds(fresh, append(slices.Clone(want), make([]byte, size)...))
		r.done(r.Restore(ctx, fence(v, 2), poolName, place(id), size, true))
		r.holds(v, want)
	}
	page, err := r.BackupManifests(ctx, "volumebackups", "")
	if err != nil || len(page) != 2 {
		t.Errorf("%v %v", page, err)
	}
	for _, id := range []string{incremental, full} {
		for _, row := range []string{uuid.NewString(), id} { // a record may have been imported under another id
			r.done(r.DestroyBackup(ctx, fence(row, 2), place(id)))
		}
	}
	if page, err := r.BackupManifests(ctx, "volumebackups", ""); err != nil || len(page) != 0 {
		t.Errorf("%v %v", page, err)
	}
	if o, err := r.Restore(ctx, fence(uuid.NewString(), 1), poolName, place(full), size, false); err != nil || !fault.Is(o.Failure, fault.NotFound) {
		t.Errorf("%v %v", o, err)
	}
}

// TestBackupIntoNoContainer fails, and can be deleted like any other that did.
func TestBackupIntoNoContainer(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.backups()
	id, source := uuid.NewString(), sourceOf(r.volume())
	nowhere := rpc.BackupPlace{ID: id, Container: "/etc"}
	if _, err := r.Backup(ctx, fence(id, 1), poolName, nowhere, source); !fault.Is(err, fault.Invalid) {
		t.Errorf("it was begun: %v", err)
	}
	r.done(r.DestroyBackup(ctx, fence(id, 2), nowhere))
	if _, err := r.DestroyBackup(ctx, fence(id, 3), rpc.BackupPlace{ID: "../x", Container: "volumebackups"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("what is no id: %v", err)
	}
}
