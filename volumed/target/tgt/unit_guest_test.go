package tgt

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/testbed/guest"
	"clinker/volumed/target"
	"clinker/volumed/target/targettest"
)

// TestDeviceInUse: what is mounted on the node, say, is not exported beside that. Who
// comes later does not end an export.
func TestDeviceInUse(t *testing.T) {
	guest.Require(t)
	d, device := startDaemon(t), targettest.LogicalVolume(t, 64<<20)
	tg := New(Options{Socket: d.Socket(), Prefix: prefix})
	e := target.Export{IQN: prefix + "volume-one", Serial: "one", Device: device.Path}
	hold := func() *os.File {
		t.Helper()
		f, err := os.OpenFile(device.Path, os.O_RDONLY|unix.O_EXCL, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := hold()
	if _, err := tg.Apply(t.Context(), e); !fault.Is(err, fault.Busy) {
		t.Errorf("held: got %v, want Busy", err)
	}
	f.Close()
	if _, err := tg.Apply(t.Context(), e); err != nil {
		t.Error(err)
	}
	defer hold().Close()
	if _, err := tg.Apply(t.Context(), e); err != nil {
		t.Errorf("exported before: %v", err)
	}
	if err := tg.Remove(t.Context(), e.IQN); err != nil {
		t.Error(err)
	}
}
