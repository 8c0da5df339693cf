package fullpath

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clinker/tempest/rig"
	"clinker/testbed"
	"clinker/testbed/machine"
)

// volumedPort is where volumed listens in the storage node.
const volumedPort = 9776

// node is the storage node.
type node struct {
	*testbed.VM
	cloud   *cloud
	address string // on the storage network
	volumed *machine.Process
}

// nodeOptions describe its machine: a disk for the volumes, one for what a node must
// not forget, and one for another volume group.
func nodeOptions(t *testing.T, c *cloud, cable *machine.Cable) testbed.Options {
	return testbed.Options{
		Name: "node", Storage: cable, Forward: []int{volumedPort}, MemoryMiB: 640,
		Disks: []testbed.Disk{{Serial: "data", SizeGiB: 20}, {Serial: "state", SizeGiB: 1}, {Serial: "more", SizeGiB: 3}},
		Files: map[string]string{
			"/usr/bin/clinker":         rig.Binary(t),
			"/etc/clinker/ca.crt":      filepath.Join(c.PKI(), "ca.crt"),
			"/etc/clinker/volumed.crt": filepath.Join(c.PKI(), "volumed.crt"),
			"/etc/clinker/volumed.key": filepath.Join(c.PKI(), "volumed.key"),
		},
	}
}

// furnish makes the volume group with its thin pool, once in the disk's life.
func (n *node) furnish(t *testing.T) {
	t.Helper()
	n.MakeVG(t)
	n.Run(t, `lvcreate -q -y -L 8G -T vg0/vg0-pool
		vgcreate -q vg1 /dev/tb/more`)
}

// start does what a boot does: it mounts /state and starts volumed, which finds
// everything else itself.
func (n *node) start(t *testing.T) {
	t.Helper()
	n.Mount(t, "state", "/state")
	check(t, n.Put(t.Context(), "/etc/clinker/clinker.conf", 0o600, strings.NewReader(n.settings())))
	var err error
	n.volumed, err = n.Machine.Start(t.Context(), testbed.Command{Args: []string{"clinker", "volumed"}})
	check(t, err)
}

func (n *node) settings() string {
	return fmt.Sprintf(`[DEFAULT]
host = node
my_ip = 10.0.2.15
state_path = /state
report_interval = 2
enabled_backends = thick, thin, elsewhere
[backend_defaults]
volume_driver = lvm
volume_group = vg0
target_helper = lio
target_ip_address = %[1]s
[thick]
lvm_type = default
[thin]
lvm_type = thin
[elsewhere]
lvm_type = default
volume_group = vg1
[clinker]
ca = /etc/clinker/ca.crt
cert = /etc/clinker/{role}.crt
key = /etc/clinker/{role}.key
volumed_port = %[2]d
volumed_endpoint = https://%[3]s
scheduler_endpoints = https://%[4]s:%[5]d
`, n.address, volumedPort, n.Address(volumedPort), hostAddress, n.cloud.Scheduler.Port())
}

// awaitPools waits until the scheduler has heard of the pools since.
func (n *node) awaitPools(t *testing.T, since time.Time) {
	t.Helper()
	rig.Eventually(t, time.Minute, func() error {
		var known int
		err := n.cloud.DB.QueryRow(t.Context(), "SELECT count(*) FROM pools WHERE polled_at > $1", since).Scan(&known)
		if err == nil && known < len(kinds)+1 {
			err = fmt.Errorf("%d of %d pools are known", known, len(kinds)+1)
		}
		return err
	})
}

// showLog prints what volumed said if the test has failed.
func (n *node) showLog(t *testing.T) {
	if !t.Failed() || n.volumed == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
	defer cancel()
	said, err := n.volumed.Log(ctx)
	t.Logf("volumed (%v):\n%s", err, said[max(0, len(said)-8000):])
}

// exports are the volumes that the kernel exports and the initiators it lets
// in, as "VOLUME INITIATOR", one a line; "VOLUME -" is for nobody.
func (n *node) exports(t *testing.T) string {
	t.Helper()
	return n.Run(t, `cd /sys/kernel/config/target/iscsi 2>/dev/null || exit 0
		for target in *:volume-*; do
			[ -d "$target" ] || continue
			rules=$(ls "$target/tpgt_1/acls")
			for initiator in ${rules:--}; do echo "${target##*:volume-} $initiator"; done
		done`)
}
