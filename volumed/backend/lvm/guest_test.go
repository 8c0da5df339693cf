package lvm

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"clinker/testbed/guest"
	"clinker/volumed/backend"
	"clinker/volumed/backend/backendtest"
)

const (
	mebi = 1 << 20
	unit = 8 * mebi
)

// sh runs one of LVM's programs by hand and gives what it said.
func sh(t *testing.T, args ...string) string {
	t.Helper()
	output, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// opened opens the guest's volume group, or a thin pool in it.
func opened(t *testing.T, pool string) *Backend {
	t.Helper()
	b, err := Open(t.Context(), Options{VolumeGroup: guest.VolumeGroup, ThinPool: pool})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// small leaves room for only so many bytes in the volume group until the test ends.
func small(t *testing.T, room int64) {
	t.Helper()
	free := opened(t, "")
	c, err := free.Capacity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stranger := guest.VolumeGroup + "/stranger"
	sh(t, "lvcreate", "-y", "-an", "-Wn", "-Zn", "-L", inBytes(c.FreeBytes-room), "-n", "stranger", guest.VolumeGroup)
	t.Cleanup(func() { sh(t, "lvremove", "-y", stranger) })
}

// thinPool makes a thin pool until the test ends.
func thinPool(t *testing.T, size int64) string {
	t.Helper()
	pool := guest.VolumeGroup + "/pool"
	sh(t, "lvcreate", "-y", "-L", inBytes(size), "-T", pool)
	t.Cleanup(func() { sh(t, "lvremove", "-y", pool) })
	return "pool"
}

// conforming opens for the suite: with reports that last, since nobody else changes
// anything, and a count of what it all took.
func conforming(t *testing.T, pool string) *Backend {
	t.Helper()
	b := opened(t, pool)
	b.reports.age = time.Hour
	// The guest's lvm.conf has removed extents discarded, after which they read
	// as zeroes: the wipe must do without.
	b.config = []string{"--config", strings.Join(b.config[1:], " ") + " devices/issue_discards=0"}
	t.Cleanup(func() { t.Logf("%d programs were started", b.started.Load()) })
	return b
}

func TestThick(t *testing.T) {
	guest.Require(t)
	small(t, 14*unit)
	b := conforming(t, "")
	backendtest.Run(t, func(*testing.T) backend.Backend { return b }, backendtest.Options{
		Unit:        unit,
		Fill:        true,
		HoldsOrigin: true,
		Clear:       cleared(b),
		Leftover:    cutShort,
	})
}

// cleared removes volumes by hand, all with one program. That discards their extents,
// which then read as zeroes.
func cleared(b *Backend) func(t *testing.T, ids []string) {
	return func(t *testing.T, ids []string) {
		t.Helper()
		sh(t, "lvremove", "-y", guest.VolumeGroup, "--select", "lv_name=~"+strings.Join(ids, " || lv_name=~"))
		b.reports.drop()
	}
}

// cutShort leaves what a clone does when its process is killed.
func cutShort(t *testing.T, b backend.Backend, name string) {
	t.Helper()
	sh(t, "lvcreate", "-y", "-L", inBytes(unit), "-n", backend.TrashName(name, 1), guest.VolumeGroup)
	b.(*Backend).reports.drop()
}

func TestThin(t *testing.T) {
	guest.Require(t)
	pool := thinPool(t, 512*mebi)
	b := conforming(t, pool)
	backendtest.Run(t, func(*testing.T) backend.Backend { return b }, backendtest.Options{
		Unit:         unit,
		OneStepClone: true,
		Clear:        cleared(b),
		Leftover: func(t *testing.T, b backend.Backend, name string) {
			t.Helper()
			sh(t, "lvcreate", "-y", "-V", inBytes(unit), "-T", guest.VolumeGroup+"/"+pool, "-n", backend.TrashName(name, 1))
			b.(*Backend).reports.drop()
		},
	})
}
