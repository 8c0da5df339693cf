package volumed

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// tracking is a storage whose snapshots tell what has changed: as it happens, all.
type tracking struct {
	*fakeStorage
	mu    sync.Mutex
	asked []string
}

func (t *tracking) Tracks() bool { return true }

func (t *tracking) Identity(_ context.Context, name string) (string, error) {
	return "identity of " + name, nil
}

func (t *tracking) Changes(_ context.Context, since, _ string) ([]backend.Stretch, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, since)
	return []backend.Stretch{{Start: 0, Bytes: size}}, nil
}

// tracks gives the rig's node a storage that tracks.
func (r *rig) tracks() *tracking {
	r.backups()
	r.stop()
	t := &tracking{fakeStorage: r.storage}
	r.startOn(t, r.target)
	return t
}

// TestBackupOfExportedVolume reads a snapshot, which goes afterwards.
func TestBackupOfExportedVolume(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.backups()
	v := r.volume()
	r.fill(v, 'x')
	r.attach(v, uuid.NewString(), "host")
	id := r.backedUp(sourceOf(v))
	if names := r.names(); !slices.Equal(names, []string{v}) {
		t.Errorf("left: %v", names)
	}
	r.must(r.Revoke(ctx, fence(attachmentOf(t, r, v), 2), poolName, v))
	r.fill(v, 'y')
	r.done(r.Restore(ctx, fence(v, 2), poolName, place(id), size, true))
	if r.begins(v) != 'x' {
		t.Error("the restored volume is another")
	}
}

func attachmentOf(t *testing.T, r *rig, volume string) string {
	t.Helper()
	all, err := r.Exports(t.Context(), poolName)
	if err != nil || len(all) != 1 || all[0].VolumeID != volume {
		t.Fatalf("%v %v", all, err)
	}
	return all[0].AttachmentID
}

// TestBackupRefused: what cannot be done is told, and nothing is left of it.
func TestBackupRefused(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	v := r.volume()
	if _, err := r.Backup(ctx, fence(uuid.NewString(), 1), poolName, place(uuid.NewString()), sourceOf(v)); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a node without backups: %v", err)
	}
	if self := r.self(); self.BackupDriver != "" || self.BackupStore != "" {
		t.Errorf("%+v", self)
	}
	r.backups()
	id := r.backedUp(sourceOf(v))
	if self := r.self(); self.BackupDriver != "posix" || self.BackupStore == "" || self.BackupContainer != "volumebackups" {
		t.Errorf("%+v", self)
	}
	for name, call := range map[string]func() (*rpc.Operation, error){
		"another place": func() (*rpc.Operation, error) {
			return r.Backup(ctx, fence(uuid.NewString(), 1), poolName, place(id), sourceOf(v))
		},
		"a bad container": func() (*rpc.Operation, error) {
			return r.Backup(ctx, fence(id, 1), poolName, rpc.BackupPlace{ID: id, Container: "../x"}, sourceOf(v))
		},
		"no container": func() (*rpc.Operation, error) {
			return r.Restore(ctx, fence(v, 1), poolName, rpc.BackupPlace{ID: id}, size, false)
		},
		"a bad size": func() (*rpc.Operation, error) {
			return r.Restore(ctx, fence(v, 1), poolName, place(id), 7, false)
		},
		"the volume's id": func() (*rpc.Operation, error) { return r.Backup(ctx, fence(v, 1), poolName, place(v), sourceOf(v)) },
	} {
		if _, err := call(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fresh := uuid.NewString()
	for bytes, want := range map[int64]fault.Code{size / 2: fault.Invalid} {
		if o, err := r.Restore(ctx, fence(fresh, 1), poolName, place(id), bytes, false); err != nil || !fault.Is(o.Failure, want) {
			t.Errorf("%d bytes: %v %v", bytes, o, err)
		}
	}
	r.attach(v, uuid.NewString(), "host")
	if o, err := r.Restore(ctx, fence(v, 2), poolName, place(id), size, true); err != nil || !fault.Is(o.Failure, fault.Busy) {
		t.Errorf("over an exported volume: %v %v", o, err)
	}
	if o, err := r.Restore(ctx, fence(fresh, 2), poolName, place(id), size, true); err != nil || !fault.Is(o.Failure, fault.NotFound) {
		t.Errorf("over no volume: %v %v", o, err)
	}
	// A damaged one makes no volume.
	files, _ := filepath.Glob(filepath.Join(r.dir, "..", "store", "volumebackups", "manifest", "*"))
	r.must(os.WriteFile(files[0], []byte("damaged"), 0o600))
	if o, err := r.Restore(ctx, fence(fresh, 3), poolName, place(id), size, false); err != nil || !fault.Is(o.Failure, fault.Invalid) || !slices.Equal(r.names(), []string{v}) {
		t.Errorf("a damaged backup: %v %v %v", o, err, r.names())
	}
}

// TestKeptSnapshot: the last good backup's snapshot stays to be compared with, until
// the next one, the backup's end or the volume's.
func TestKeptSnapshot(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	storage := r.tracks()
	v := r.volume()
	r.fill(v, '1')
	has := func(want ...string) {
		t.Helper()
		got := r.names()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("stored: %v, want %v", got, want)
		}
	}
	one := r.backedUp(sourceOf(v))
	has(v, one)
	r.fill(v, '2')
	source := sourceOf(v)
	source.Parent, source.ParentContainer = one, "volumebackups"
	two := r.backedUp(source)
	has(v, two)
	if want := []string{"", "identity of " + backend.SnapshotName(one)}; !slices.Equal(storage.asked, want) {
		t.Errorf("asked since %q", storage.asked)
	}
	r.stop() // the node comes back and knows
	r.startOn(storage, r.target)
	r.done(r.DestroyBackup(ctx, fence(two, 2), place(two)))
	has(v)
	three := r.backedUp(sourceOf(v))
	has(v, three)
	r.done(r.Destroy(ctx, fence(v, 2), poolName))
	has()
	fresh := uuid.NewString()
	r.done(r.Restore(ctx, fence(fresh, 1), poolName, place(one), size, false))
	if r.begins(fresh) != '1' {
		t.Error("the restored volume is another")
	}
}

// TestBackupCutShort: a stop in the middle, or a destroy, leaves no snapshot for
// good, and the call can be repeated.
func TestBackupCutShort(t *testing.T) {
	t.Parallel()
	r, v := newRig(t), ""
	storage := r.tracks()
	v = r.volume()
	r.fill(v, 'v')
	id := uuid.NewString()
	begin := func(generation int64) chan *rpc.Operation {
		reached, ended := make(chan struct{}), make(chan *rpc.Operation, 1)
		storage.before = func(ctx context.Context, method, name string) error {
			if method == "device" && name == backend.SnapshotName(id) {
				close(reached)
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		node := r.Server
		go func() {
			o, _ := node.Backup(t.Context(), fence(id, generation), poolName, place(id), sourceOf(v))
			ended <- o
		}()
		<-reached
		return ended
	}
	ended := begin(1)
	r.stop()
	<-ended
	storage.before = nil
	r.startOn(storage, r.target)
	r.done(r.Backup(t.Context(), fence(id, 1), poolName, place(id), sourceOf(v)))
	r.done(r.DestroyBackup(t.Context(), fence(id, 2), place(id)))
	ended = begin(3)
	r.done(r.DestroyBackup(t.Context(), fence(id, 4), place(id)))
	if o := <-ended; o == nil || !fault.Is(o.Failure, fault.Stale) {
		t.Errorf("the backup ended with %v", o)
	}
	if names := r.names(); !slices.Equal(names, []string{v}) {
		t.Errorf("left: %v", names)
	}
}

// TestBackupKilledAtItsEnd: a node that was killed between a backup's end and that of
// its snapshot has only that left to do, when it is asked again.
func TestBackupKilledAtItsEnd(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.backups()
	v := r.volume()
	r.fill(v, 'x')
	r.attach(v, uuid.NewString(), "host")
	other := r.backedUp(sourceOf(v))
	id := r.backedUp(sourceOf(v))
	for _, id := range []string{other, id} { // as the kill leaves it
		r.must(r.journal.Keep(v, poolName, id))
		r.must(r.storage.Snapshot(ctx, backend.VolumeName(v), backend.SnapshotName(id)))
	}
	r.restart()
	r.done(r.Backup(ctx, fence(id, 2), poolName, place(id), sourceOf(v)))
	if names := r.names(); !slices.Equal(names, []string{v}) {
		t.Errorf("left: %v", names)
	}
	if kept, err := r.journal.Kept(v); err != nil || len(kept.Backups) > 0 {
		t.Errorf("the journal keeps %v, %v", kept, err)
	}
}
