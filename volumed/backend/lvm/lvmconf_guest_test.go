package lvm

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

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
