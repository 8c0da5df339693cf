package targettest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"clinker/internal/run"
	"clinker/testbed/guest"
)

// LogicalVolume makes a logical volume in the guest's volume group.
func LogicalVolume(t *testing.T, size int64) Device {
	t.Helper()
	guest.Require(t)
	name := guest.VolumeGroup + "/target-" + word(6)
	bytes := func(n int64) string { return fmt.Sprintf("%db", n) }
	must(t, "lvcreate", "-q", "-y", "-Wy", "-Zy", "-L", bytes(size), "-n", name[len(guest.VolumeGroup)+1:], guest.VolumeGroup)
	removed := false
	remove := func(t *testing.T) {
		t.Helper()
		if !removed {
			removed = true
			must(t, "lvremove", "-q", "-y", name)
		}
	}
	t.Cleanup(func() { remove(t) })
	return Device{
		Path:    "/dev/" + name,
		Grow:    func(t *testing.T, size int64) { t.Helper(); must(t, "lvextend", "-q", "-L", bytes(size), name) },
		Release: remove,
	}
}

func must(t *testing.T, args ...string) {
	t.Helper()
	// Not the test's context, which has ended when the cleaning begins.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := run.Output(ctx, args...); err != nil {
		t.Fatal(err)
	}
}
