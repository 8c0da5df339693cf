package fullpath

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// moved: a volume goes from the thick pool to the thin one and back, by retypes that
// migrate, with what is on it; where it was nothing is left.
func (p *path) moved(t *testing.T) {
	v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, VolumeType: "thick", Name: "moved"})
	device := p.first.attach(t, v.ID)
	p.first.Run(t, `for at in 0 500 1020; do dd if=/dev/urandom of=`+device+` bs=1M count=4 seek=$at conv=fsync status=none; done`)
	sum := p.first.sum(t, device)
	p.first.detach(t, v.ID)
	rig.AwaitVolume(t, p.user, v.ID, "available")

	for i, kind := range []string{"thin", "thick"} {
		check(t, volumes.ChangeType(t.Context(), p.user, v.ID, volumes.ChangeTypeOpts{NewType: kind, MigrationPolicy: volumes.MigrationPolicyOnDemand}).ExtractErr())
		p.isOn(t, v.ID, kind)
		m := []*client{p.second, p.first}[i]
		device = m.attach(t, v.ID)
		if got := m.sum(t, device); got != sum {
			t.Errorf("checksum in the %s pool %q, before %q", kind, got, sum)
		}
		m.detach(t, v.ID)
		rig.AwaitVolume(t, p.user, v.ID, "available")
	}
	rig.DeleteVolume(t, p.user, v.ID)
}

// isOn waits until the volume has come to a backend, and holds the volume group to it.
func (p *path) isOn(t *testing.T, id, kind string) {
	t.Helper()
	v := rig.AwaitVolume(t, p.admin, id, "available")
	if v.VolumeType != kind || !strings.HasPrefix(v.Host, "node@"+kind+"#") {
		t.Fatalf("the volume is of type %s on %s, and not %s", v.VolumeType, v.Host, kind)
	}
	want := "volume-" + id
	if kind == "thin" {
		want += " vg0-pool"
	}
	rig.Eventually(t, time.Minute, func() error {
		if has := strings.Join(strings.Fields(p.node.Run(t, "lvs --noheadings -o lv_name,pool_lv vg0 | grep "+id)), " "); has != want {
			return fmt.Errorf("the volume group has %q, and not %q", has, want)
		}
		return nil
	})
}

// sum is a checksum of both ends and of what lies in the middle, with what is around
// it: the whole takes a guest a minute.
func (m *client) sum(t *testing.T, device string) string {
	t.Helper()
	return m.Run(t, `for at in 0 498 1016; do dd if=`+device+` bs=1M count=8 skip=$at iflag=direct status=none; done | sha256sum`)
}
