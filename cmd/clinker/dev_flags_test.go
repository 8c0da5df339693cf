package main

import (
	"testing"

	"clinker/internal/fault"
)

// TestDevSharesNoVolumeGroup: two nodes with the same volumes are two pools with the same
// bytes, and what is the one's looks like remains to the other.
func TestDevSharesNoVolumeGroup(t *testing.T) {
	t.Parallel()
	d := devCommand{Listen: "127.0.0.1", Port: 1, IdentityPort: 2, TargetPort: 3, Nodes: 1, VolumeGroup: "vg"}
	if err := d.check(); err != nil {
		t.Error(err)
	}
	if d.Nodes = 2; !fault.Is(d.check(), fault.Invalid) {
		t.Error("two nodes share a volume group")
	}
	if d.VolumeGroup = ""; d.check() != nil {
		t.Error(d.check())
	}
}
