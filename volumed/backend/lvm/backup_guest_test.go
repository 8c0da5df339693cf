package lvm

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"

	"github.com/google/uuid"

	"clinker/testbed/guest"
	"clinker/volumed/backend"
	"clinker/volumed/backup"
	"clinker/volumed/backup/posix"
)

// TestBackups: real devices are backed up and restored, thick and thin; of a thin
// volume an incremental backup stores what was written since.
func TestBackups(t *testing.T) {
	guest.Require(t)
	small(t, 64*unit)
	for _, kind := range []string{"thick", "thin"} {
		t.Run(kind, func(t *testing.T) {
			pool := ""
			if kind == "thin" {
				pool = thinPool(t, 16*unit)
			}
			backups(t, conforming(t, pool))
		})
	}
}

func backups(t *testing.T, b *Backend) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	driver, err := posix.New(t.TempDir())
	must(err)
	store := backup.New(backup.Options{Driver: driver, Location: "guest", Compress: true, ChunkBytes: mebi})
	volume, id := backend.VolumeName(uuid.NewString()), uuid.NewString()
	must(b.Create(ctx, volume, 2*unit))
	made := func(parent *backup.Place) (*backup.Manifest, []byte) {
		t.Helper()
		snapshot := backend.SnapshotName(uuid.NewString())
		must(b.Snapshot(ctx, volume, snapshot))
		path, err := b.Device(ctx, snapshot)
		must(err)
		r := backup.Request{
			Place: backup.Place{ID: uuid.NewString(), Container: "c"}, VolumeID: id, Parent: parent,
			Path: path, Bytes: 2 * unit, Progress: func(int64) {},
		}
		if b.Tracks() {
			r.Basis, err = b.Identity(ctx, snapshot)
			must(err)
			r.Changes = func(ctx context.Context, since string) (all []backup.Extent, err error) {
				stretches, err := b.Changes(ctx, since, snapshot)
				for _, s := range stretches {
					all = append(all, backup.Extent(s))
				}
				return all, err
			}
		}
		m, err := store.Create(ctx, r)
		must(err)
		return m, contents(t, b, snapshot)
	}
	poke(t, b, volume, 3*mebi+512, bytes.Repeat([]byte{'f'}, mebi))
	full, was := made(nil)
	poke(t, b, volume, 9*mebi, []byte("changed, and not a whole block"))
	more, is := made(&full.Place)
	if more.Objects != 2 || len(more.Needs) != 1 {
		t.Errorf("%+v", more)
	}
	for place, want := range map[backup.Place][]byte{full.Place: was, more.Place: is} {
		restored := backend.VolumeName(uuid.NewString())
		must(b.Import(ctx, restored, 3*unit, func(ctx context.Context, path string, blank bool) error {
			return store.Restore(ctx, place, backup.Target{Path: path, Bytes: 3 * unit, Blank: blank, Progress: func(int64) {}})
		}))
		if got := contents(t, b, restored); !bytes.Equal(got, append(bytes.Clone(want), make([]byte, unit)...)) {
			t.Error("a new volume holds something else")
		}
		must(b.Delete(ctx, restored))
		// Over a volume that holds other bytes.
		path, err := b.Device(ctx, volume)
		must(err)
		poke(t, b, volume, 0, bytes.Repeat([]byte{'x'}, 2*unit))
		must(store.Restore(ctx, place, backup.Target{Path: path, Bytes: 2 * unit, Progress: func(int64) {}}))
		if got := contents(t, b, volume); !bytes.Equal(got, want) {
			t.Error("the old volume holds something else")
		}
	}
	entries, err := b.List(ctx)
	must(err)
	for _, e := range entries {
		if _, ok := backend.SnapshotID(e.Name); ok {
			must(b.Delete(ctx, e.Name))
		}
	}
	must(b.Delete(ctx, volume))
}

func poke(t *testing.T, b *Backend, name string, at int64, data []byte) {
	t.Helper()
	path, err := b.Device(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(data, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, b *Backend, name string) []byte {
	t.Helper()
	path, err := b.Device(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
