package fullpath

import (
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/qos"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumetypes"

	"clinker/tempest/rig"
)

// limited: the storage node keeps a machine to its type's back-end QoS specs, also
// after a reboot, until the volume gets another type. At 1 MiB a second 8 MiB take 8 s;
// what is compared leaves room for machines that are slow.
func (p *path) limited(t *testing.T) {
	p.slowType(t)
	v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, VolumeType: "slow", Name: "limited"})
	if rules := p.node.rules(t); rules != "" {
		t.Errorf("rules of a volume that nobody uses: %q", rules)
	}
	device := p.first.attach(t, v.ID)
	held := p.first.writes8MiB(t, device)
	if rules := p.node.rules(t); !strings.HasSuffix(rules, " 1048576") {
		t.Errorf("rules %q", rules)
	}
	p.node.PowerCut(t)
	p.node.Boot(t)
	p.node.start(t)
	again := p.first.writes8MiB(t, device)
	if rules := p.node.rules(t); !strings.HasSuffix(rules, " 1048576") {
		t.Errorf("rules after a reboot %q", rules)
	}
	p.node.awaitPools(t, time.Now())
	check(t, volumes.ChangeType(t.Context(), p.user, v.ID, volumes.ChangeTypeOpts{NewType: "thick", MigrationPolicy: volumes.MigrationPolicyNever}).ExtractErr())
	if v := rig.AwaitVolume(t, p.user, v.ID, "in-use"); v.VolumeType != "thick" {
		t.Errorf("retyped to %s", v.VolumeType)
	}
	free := p.first.writes8MiB(t, device)
	t.Logf("8 MiB in %v, after a reboot in %v, retyped in %v", held, again, free)
	if least := 4 * time.Second; held < least || again < least || held < 2*free {
		t.Error("the limit was not kept to")
	}
	if rules := p.node.rules(t); rules != "" {
		t.Errorf("rules after a retype %q", rules)
	}
	p.first.detach(t, v.ID)
	rig.AwaitVolume(t, p.user, v.ID, "available")
	rig.DeleteVolume(t, p.user, v.ID)
}

// slowType makes a type of thick volumes that the storage is to limit.
func (p *path) slowType(t *testing.T) {
	t.Helper()
	kind, err := volumetypes.Create(t.Context(), p.admin, volumetypes.CreateOpts{
		Name: "slow", ExtraSpecs: map[string]string{"volume_backend_name": "thick"},
	}).Extract()
	check(t, err)
	specs, err := qos.Create(t.Context(), p.admin, qos.CreateOpts{
		Name: "slow", Consumer: qos.ConsumerBack, Specs: map[string]string{"total_bytes_sec": "1048576"},
	}).Extract()
	check(t, err)
	check(t, qos.Associate(t.Context(), p.admin, specs.ID, qos.AssociateOpts{VolumeTypeID: kind.ID}).ExtractErr())
}

// rules are the kernel's limits of writes, as "MAJOR:MINOR BYTES", one a line.
func (n *node) rules(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(n.Run(t, "cat /state/blkio/blkio.throttle.write_bps_device"))
}

// writes8MiB tells how long that took, past the machine's page cache.
func (m *client) writes8MiB(t *testing.T, device string) time.Duration {
	t.Helper()
	began := time.Now()
	m.Run(t, "dd if=/dev/zero of="+device+" bs=1M count=8 oflag=direct conv=fsync status=none")
	return time.Since(began)
}
