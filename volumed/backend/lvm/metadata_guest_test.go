package lvm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// TestLVMConf: what lvm.conf says of how LVM talks does not make its reports unreadable.
func TestLVMConf(t *testing.T) {
	guest.Require(t)
	name := made(t, opened(t, ""), unit)
	const path = "/etc/lvm/lvm.conf"
	was, err := os.ReadFile(path)
	must(t, err)
	t.Cleanup(func() { must(t, os.WriteFile(path, was, 0o644)) })
	must(t, os.WriteFile(path, append(was, `
		log { prefix = "### " command_names = 1 verbose = 1 report_command_log = 1 }
		report { list_item_separator = ";" compact_output = 1 quoted = 0 aligned = 0 separator = "|" }
	`...), 0o644))
	b := opened(t, "")
	if entries := b.entries(t); len(entries) != 1 || entries[0].Name != name {
		t.Errorf("List shows %v", entries)
	}
	sh(t, "vgchange", "--addtag", "another", guest.VolumeGroup)
	t.Cleanup(func() { sh(t, "vgchange", "--deltag", "another", guest.VolumeGroup) })
	whole, err := b.readGroup(t.Context())
	if err != nil || !strings.Contains(strings.Join(whole.tags, " "), "another") {
		t.Errorf("%+v, %v", whole, err)
	}
	for _, tag := range whole.tags {
		if strings.Contains(tag, ";") {
			t.Errorf("several tags are one: %q", tag)
		}
	}
}

// TestDevicesFile: LVM may be told its disks by a file of theirs (lvmdevices(8)), as it
// is on RHEL 9.
func TestDevicesFile(t *testing.T) {
	guest.Require(t)
	const path = "/etc/lvm/lvm.conf"
	was, err := os.ReadFile(path)
	must(t, err)
	t.Cleanup(func() {
		must(t, os.RemoveAll("/etc/lvm/devices"))
		must(t, os.WriteFile(path, was, 0o644))
	})
	must(t, os.WriteFile(path, []byte(strings.Replace(string(was), "use_devicesfile = 0", "use_devicesfile = 1", 1)), 0o644))
	disk, err := filepath.EvalSymlinks(guest.DataDisk)
	must(t, err)
	sh(t, "lvm", "lvmdevices", "--adddev", disk)
	b := opened(t, "")
	name, snapshot := made(t, b, unit), backend.SnapshotName(uuid.NewString())
	must(t, b.Snapshot(t.Context(), name, snapshot))
	must(t, b.Extend(t.Context(), name, 2*unit))
	must(t, b.Delete(t.Context(), snapshot))
	trash, err := b.Trash(t.Context())
	must(t, err)
	for _, entry := range trash {
		must(t, b.Purge(t.Context(), entry.Name, func(context.Context, int) error { return nil }))
	}
	sh(t, "lvm", "lvmdevices", "-y", "--deldev", disk)
	if _, err := Open(t.Context(), Options{VolumeGroup: guest.VolumeGroup}); !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), "lvmdevices") {
		t.Errorf("a disk that is not in the file: %v", err)
	}
	sh(t, "lvm", "lvmdevices", "--adddev", disk)
}

// dmsetup runs it, where it may fail.
func dmsetup(args ...string) error { return exec.Command("dmsetup", args...).Run() }
