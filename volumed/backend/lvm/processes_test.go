package lvm

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// step is one operation and the number of programs that it may start.
type step struct {
	name string
	most int64
	run  func(ctx context.Context) error
}

// TestProcesses counts the programs that each operation starts, since they are
// what its time goes into, and logs that time.
func TestProcesses(t *testing.T) {
	guest.Require(t)
	pool := thinPool(t, 256*mebi)
	t.Run("thick", func(t *testing.T) { count(t, opened(t, ""), 1, 2, 4, 2, 1) })
	t.Run("thin", func(t *testing.T) { count(t, opened(t, pool), 1, 1, 1, 1, 1) })
}

func count(t *testing.T, b *Backend, remove, removeSnapshot, cloneVolume, cloneSnapshot, purge int64) {
	volume, clone := backend.VolumeName(uuid.NewString()), backend.VolumeName(uuid.NewString())
	copied, snapshot := backend.VolumeName(uuid.NewString()), backend.SnapshotName(uuid.NewString())
	silent := func(int64) {}
	read := func(ctx context.Context) error {
		if _, err := b.Capacity(ctx); err != nil {
			return err
		}
		_, err := b.List(ctx)
		return err
	}
	for _, s := range []step{
		{"create", 1, func(ctx context.Context) error { return b.Create(ctx, volume, unit) }},
		{"device", 0, func(ctx context.Context) error { _, err := b.Device(ctx, volume); return err }},
		{"extend", 1, func(ctx context.Context) error { return b.Extend(ctx, volume, 2*unit) }},
		{"capacity and list", 1, read},
		{"capacity and list again", 0, read},
		{"snapshot", 1, func(ctx context.Context) error { return b.Snapshot(ctx, volume, snapshot) }},
		{"report", 1, read},
		{"clone of a volume", cloneVolume, func(ctx context.Context) error { return b.Clone(ctx, volume, clone, 2*unit, silent) }},
		{"report", 1, read},
		{"clone of a snapshot", cloneSnapshot, func(ctx context.Context) error { return b.Clone(ctx, snapshot, copied, 2*unit, silent) }},
		{"delete a snapshot", removeSnapshot, func(ctx context.Context) error { return b.Delete(ctx, snapshot) }},
		{"delete", remove, func(ctx context.Context) error { return b.Delete(ctx, volume) }},
		{"delete", remove, func(ctx context.Context) error { return b.Delete(ctx, clone) }},
		{"delete", remove, func(ctx context.Context) error { return b.Delete(ctx, copied) }},
	} {
		measure(t, b, s)
	}
	trash, err := b.Trash(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range trash {
		measure(t, b, step{"purge", purge, func(ctx context.Context) error {
			return b.Purge(ctx, entry.Name, func(context.Context, int) error { return nil })
		}})
	}
}

func measure(t *testing.T, b *Backend, s step) {
	t.Helper()
	before, began := b.started.Load(), time.Now()
	if err := s.run(t.Context()); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	started := b.started.Load() - before
	t.Logf("%-24s %d programs, %4d ms", s.name, started, time.Since(began).Milliseconds())
	if started > s.most {
		t.Errorf("%s: %d programs started, want at most %d", s.name, started, s.most)
	}
}
