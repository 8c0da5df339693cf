package lvm

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// TestMetadataFull: the metadata of a thin pool run out before its data. No room is
// offered that LVM would not give.
func TestMetadataFull(t *testing.T) {
	guest.Require(t)
	b := opened(t, thinPool(t, 64*mebi))
	name := backend.VolumeName(uuid.NewString()) // goes with the pool
	must(t, b.Create(t.Context(), name, unit))
	number := 1000
	// fill has the kernel keep volumes that LVM knows nothing of, until so many
	// blocks of the metadata are in use, or none is left.
	fill := func(blocks int) {
		t.Helper()
		for used := 0; used < blocks; {
			status, err := b.pool.(*thin).status(t.Context())
			must(t, err)
			if _, err := fmt.Sscanf(status, "%d %d", new(int), &used); err != nil || failed(status) {
				return
			}
			for range 8 {
				number++
				_ = dmsetup("message", guest.VolumeGroup+"-pool-tpool", "0", fmt.Sprint("create_thin ", number))
			}
		}
	}
	for _, at := range []struct {
		blocks int
		code   fault.Code // of a new volume
	}{{700, ""}, {780, fault.NoSpace}, {1024, fault.Unavailable}} {
		fill(at.blocks)
		b.reports.drop()
		c, err := b.Capacity(t.Context())
		if room := err == nil && c.FreeBytes > 0; room != (at.code == "") {
			t.Errorf("with %d of 1024 blocks in use: %d bytes are free, %v", at.blocks, c.FreeBytes, err)
		}
		another := backend.VolumeName(uuid.NewString())
		if err := b.Create(t.Context(), another, unit); err != nil && fault.CodeOf(err) != at.code || err == nil && at.code != "" {
			t.Errorf("with %d of 1024 blocks in use a new volume: %v, want %q", at.blocks, err, at.code)
		}
		if err := b.Snapshot(t.Context(), name, backend.SnapshotName(uuid.NewString())); err != nil && fault.CodeOf(err) != at.code || err == nil && at.code != "" {
			t.Errorf("with %d of 1024 blocks in use a snapshot: %v, want %q", at.blocks, err, at.code)
		}
	}
}

// TestMetadataDamaged: a thin pool that LVM does not activate is trouble of that pool,
// and not of a kind that keeps a node from serving others.
func TestMetadataDamaged(t *testing.T) {
	guest.Require(t)
	disk, file := loop(t)
	sh(t, "vgcreate", "-y", "hurt", disk)
	t.Cleanup(func() { sh(t, "vgremove", "-ff", "-y", "hurt") })
	sh(t, "lvcreate", "-y", "-L", "32m", "-V", "32m", "-n", "thin", "-T", "hurt/pool")
	var begin, length, sector int64
	_, err := fmt.Sscanf(sh(t, "dmsetup", "table", "hurt-pool_tmeta"), "%d %d linear 7:%d %d", &begin, &length, new(int), &sector)
	must(t, err)
	sh(t, "vgchange", "-an", "hurt")
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{'x'}, int(length)*512), sector*512)
	must(t, err)
	must(t, f.Close())
	sh(t, "blockdev", "--flushbufs", disk)
	_, err = Open(t.Context(), Options{VolumeGroup: "hurt", ThinPool: "pool"})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), "metadata are full or damaged") {
		t.Errorf("open: %v", err)
	}
}

// dmsetup runs it, where it may fail.
func dmsetup(args ...string) error { return exec.Command("dmsetup", args...).Run() }
