package fullpath

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// elsewhere is a backend in a volume group of its own, and the type that chooses it.
const elsewhere = "elsewhere"

// moved: a volume goes into the thin pool of its own volume group, to another volume
// group, and back by retypes that migrate, with what is on it, and leaves nothing where it
// was.
func (p *path) moved(t *testing.T) {
	v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, VolumeType: "thick", Name: "moved"})
	device := p.first.attach(t, v.ID)
	p.first.Run(t, `for at in 0 500 1020; do dd if=/dev/urandom of=`+device+` bs=1M count=4 seek=$at conv=fsync status=none; done`)
	sum := p.first.sum(t, device)
	p.first.detach(t, v.ID)
	rig.AwaitVolume(t, p.user, v.ID, "available")
	for i, kind := range []string{"thin", elsewhere, "thin", "thick"} {
		check(t, volumes.ChangeType(t.Context(), p.user, v.ID, volumes.ChangeTypeOpts{NewType: kind, MigrationPolicy: volumes.MigrationPolicyOnDemand}).ExtractErr())
		v := rig.AwaitVolume(t, p.admin, v.ID, "available")
		if v.VolumeType != kind || !strings.HasPrefix(v.Host, "node@"+kind+"#") {
			t.Fatalf("a retype to %s ends with type %s on %s", kind, v.VolumeType, v.Host)
		}
		m := []*client{p.first, p.second}[i%2]
		device = m.attach(t, v.ID)
		if got := m.sum(t, device); got != sum {
			t.Errorf("checksum after a retype to %s: %q, before %q", kind, got, sum)
		}
		m.detach(t, v.ID)
		rig.AwaitVolume(t, p.user, v.ID, "available")
	}
	rig.DeleteVolume(t, p.user, v.ID)
	rig.Eventually(t, time.Minute, func() error {
		left := p.node.Run(t, "lvs --noheadings -o vg_name,lv_name | grep "+v.ID+" || true")
		if left == "" {
			return nil
		}
		time.Sleep(time.Second) // the node is wiping
		return fmt.Errorf("still there: %s", left)
	})
}

// sum is a checksum of both ends and of what lies in the middle, with what is around
// it: the whole takes a guest a minute.
func (m *client) sum(t *testing.T, device string) string {
	t.Helper()
	return m.Run(t, `for at in 0 498 1016; do dd if=`+device+` bs=1M count=8 skip=$at iflag=direct status=none; done | sha256sum`)
}
