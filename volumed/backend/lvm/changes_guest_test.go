package lvm

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// TestChanges: a thin pool tells what was written between two snapshots, in blocks,
// and what was ever written.
func TestChanges(t *testing.T) {
	guest.Require(t)
	pool := thinPool(t, 256*mebi)
	b, ctx := conforming(t, pool), t.Context()
	const volume, one, two = "volume-a", "_snapshot-1", "_snapshot-2"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(at int64) {
		t.Helper()
		path, err := b.Device(ctx, volume)
		must(err)
		device, err := os.OpenFile(path, os.O_WRONLY, 0)
		must(err)
		_, err = device.WriteAt(bytes.Repeat([]byte{'w'}, 4096), at)
		must(err)
		must(device.Sync())
		must(device.Close())
	}
	covers := func(all []backend.Stretch, wanted ...int64) {
		t.Helper()
		var sum int64
		for _, s := range all {
			sum += s.Bytes
		}
		for _, at := range wanted {
			if !slices.ContainsFunc(all, func(s backend.Stretch) bool { return s.Start <= at && at < s.Start+s.Bytes }) {
				t.Errorf("%v do not cover %d", all, at)
			}
		}
		if sum > int64(len(wanted))*mebi {
			t.Errorf("%v are too much for %d writes", all, len(wanted))
		}
	}
	must(b.Create(ctx, volume, 8*unit))
	write(0)
	write(20 * mebi)
	must(b.Snapshot(ctx, volume, one))
	write(20*mebi + 8192)
	write(40 * mebi)
	must(b.Extend(ctx, volume, 9*unit))
	write(8*unit + mebi)
	must(b.Snapshot(ctx, volume, two))
	write(60 * mebi) // after it

	all, err := b.Changes(ctx, "", one)
	must(err)
	covers(all, 0, 20*mebi)
	since, err := b.Identity(ctx, one)
	must(err)
	for range 2 { // a metadata snapshot that was left is no hindrance
		all, err = b.Changes(ctx, since, two)
		must(err)
		covers(all, 20*mebi, 40*mebi, 8*unit+mebi)
		name, err := b.pool.(*thin).mapperName()
		must(err)
		sh(t, "dmsetup", "message", name, "0", "reserve_metadata_snap")
	}
	must(b.Delete(ctx, one))
	must(b.Snapshot(ctx, volume, one))
	if now, err := b.Identity(ctx, one); err != nil || now == since {
		t.Errorf("another of the same name has the same identity: %v", err)
	}
	if _, err := b.Changes(ctx, since, two); !fault.Is(err, fault.NotFound) {
		t.Errorf("since one that is gone: %v", err)
	}
	for _, name := range []string{one, two, volume} {
		must(b.Delete(ctx, name))
	}
	if _, err := b.Identity(ctx, volume); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	name, err := b.pool.(*thin).mapperName()
	must(err)
	sh(t, "dmsetup", "message", name, "0", "release_metadata_snap")
}
