package lvm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/backend"
)

// loop makes a small disk of a file until the test ends.
func loop(t *testing.T) (disk, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "disk")
	must(t, os.WriteFile(file, nil, 0o600))
	must(t, os.Truncate(file, 256*mebi))
	sh(t, "modprobe", "loop")
	disk = strings.TrimSpace(sh(t, "losetup", "-f"))
	sh(t, "losetup", disk, file)
	t.Cleanup(func() { sh(t, "losetup", "-d", disk) })
	return disk, file
}

// TestDiskMissing: a volume group without one of its disks says so instead of offering
// room that LVM gives to nobody.
func TestDiskMissing(t *testing.T) {
	guest.Require(t)
	whole, _ := loop(t)
	disk, file := loop(t)
	sh(t, "vgcreate", "-y", "broken", whole, disk)
	t.Cleanup(func() { sh(t, "vgremove", "-ff", "-y", "broken") })
	b, err := Open(t.Context(), Options{VolumeGroup: "broken"})
	must(t, err)
	sh(t, "losetup", "-d", disk)
	b.reports.drop()
	if _, err := b.Capacity(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), "lacks 1 of its disks") {
		t.Errorf("capacity: %v", err)
	}
	name := backend.VolumeName(uuid.NewString())
	if err := b.Create(t.Context(), name, unit); !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), "disk of the volume group is missing") {
		t.Errorf("create: %v", err)
	}
	sh(t, "losetup", disk, file)
	b.reports.drop()
	_, err = b.Capacity(t.Context())
	must(t, err)
	must(t, b.Create(t.Context(), name, unit))
}

// TestOddExtents: volumes of a volume group whose extents do not make whole GiB would be
// longer than they are said to be.
func TestOddExtents(t *testing.T) {
	guest.Require(t)
	disk, _ := loop(t)
	sh(t, "vgcreate", "-y", "-s", "48m", "odd", disk)
	t.Cleanup(func() { sh(t, "vgremove", "-ff", "-y", "odd") })
	_, err := Open(t.Context(), Options{VolumeGroup: "odd"})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), "vgchange -s 4m odd") {
		t.Fatalf("open: %v", err)
	}
	sh(t, "lvcreate", "-y", "-l", "1", "-n", "before", "odd")
	sh(t, "vgchange", "-s", "4m", "odd")
	_, err = Open(t.Context(), Options{VolumeGroup: "odd"})
	must(t, err)
}
