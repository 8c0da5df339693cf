package lvm

import (
	"strings"
	"testing"

	"clinker/internal/fault"
	"clinker/testbed/guest"
)

// TestTwoNodes: a volume group is one node's, for all pools of it, until somebody says
// that it is not.
func TestTwoNodes(t *testing.T) {
	guest.Require(t)
	pool := thinPool(t, 32*mebi)
	t.Cleanup(func() { sh(t, "vgchange", "--deltag", tagOf("node ü"), guest.VolumeGroup) })
	for _, step := range []struct {
		owner, pool string
		ok          bool
	}{{"node ü", "", true}, {"node ü", pool, true}, {"node2", pool, false}, {"", "", true}} {
		_, err := Open(t.Context(), Options{VolumeGroup: guest.VolumeGroup, ThinPool: step.pool, Owner: step.owner})
		if step.ok && err != nil || !step.ok && (!fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), "vgchange --deltag")) {
			t.Errorf("%+v: %v", step, err)
		}
	}
}
