package testbed_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"clinker/internal/run"
	"clinker/testbed"
)

const initiator = "iqn.2004-10.com.example:two"

// TestStorageNetwork shows the path that all else relies on, with nothing of
// Clinker in it: one machine exports a logical volume through LIO, written to
// configfs by hand, the other logs in over the storage network.
func TestStorageNetwork(t *testing.T) {
	t.Parallel()
	t.Cleanup(testbed.TakeLane(t))
	network := testbed.NewNetwork(t)
	cable := testbed.Plug(t, network)
	vms := testbed.StartAll(t,
		testbed.Options{Name: "node", Storage: cable},
		testbed.Options{Name: "host", Storage: testbed.Plug(t, network), Disks: []testbed.Disk{}})
	node, host := vms[0], vms[1]
	host.Run(t, "ping -c 1 -W 5 "+cable.IP().String())
	t.Run("Host", func(t *testing.T) { testReachesHost(t, host) })

	node.MakeVG(t)
	node.LoadTarget(t)
	node.Run(t, "lvcreate -q -y -L 128M -n volume vg0"+export)
	host.StartInitiator(t, initiator)
	host.Run(t, record)
	t.Run("WrongPassword", func(t *testing.T) { testWrongPassword(t, host) })
	sum := host.Run(t, setPassword("secretsecret1")+login+`
		mkfs.ext4 -q $disk
		mount $disk /mnt
		dd if=/dev/urandom of=/mnt/file bs=1M count=4 conv=fsync status=none
		sha256sum </mnt/file`)

	t.Run("PowerCut", func(t *testing.T) {
		node.PowerCut(t)
		node.Boot(t)
		node.LoadTarget(t)
		node.Run(t, "vgchange -q -ay vg0"+export)
		// The session comes back by itself; until then reads wait.
		got := host.Run(t, "umount /mnt; echo 3 >/proc/sys/vm/drop_caches"+find+"mount $disk /mnt; sha256sum </mnt/file")
		if got != sum {
			t.Errorf("checksum %q after the node's power cut, %q before", got, sum)
		}
	})
	t.Run("Cut", func(t *testing.T) {
		cable.Cut()
		if _, err := host.Exec(t.Context(), "ping", "-c", "1", "-W", "1", cable.IP().String()); err == nil {
			t.Error("ping answered through a cut cable")
		}
		cable.Mend()
		host.Run(t, "ping -c 1 -W 5 "+cable.IP().String())
	})
	host.Run(t, "umount /mnt; iscsiadm -m node -T iqn.2010-10.org.openstack:volume -p 10.9.0.1:3260 --logout")
}

// testReachesHost serves on the host's loopback and asks from the guest.
func testReachesHost(t *testing.T, vm *testbed.VM) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if connection, err := listener.Accept(); err == nil {
			_, _ = connection.Write([]byte("hello from the host\n"))
			_ = connection.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if got := vm.Run(t, "nc 10.0.2.2 "+port+" </dev/null"); got != "hello from the host\n" {
		t.Errorf("from the host: %q", got)
	}
}

func testWrongPassword(t *testing.T, vm *testbed.VM) {
	_, err := vm.Script(t.Context(), setPassword("wrongwrongwrong")+login)
	var exit *run.ExitError
	if !errors.As(err, &exit) || exit.Status != 24 || !strings.Contains(exit.Stderr, "authorization failure") {
		t.Errorf("login with a wrong password: %v; want iscsiadm's status 24", err)
	}
}

// export makes LIO serve vg0/volume with CHAP to one initiator.
const export = `
	C=/sys/kernel/config/target
	b=$C/core/iblock_0/volume
	mkdir -p $C/iscsi $b
	printf 'udev_path=/dev/vg0/volume' >$b/control
	printf serial >$b/wwn/vpd_unit_serial
	printf 1 >$b/enable
	t=$C/iscsi/iqn.2010-10.org.openstack:volume/tpgt_1
	mkdir -p $t/lun/lun_0
	printf 1 >$t/attrib/authentication
	printf 0 >$t/attrib/generate_node_acls
	ln -s $b $t/lun/lun_0/volume
	a=$t/acls/` + initiator + `
	mkdir -p $a
	printf alice >$a/auth/userid
	printf secretsecret1 >$a/auth/password
	mkdir -p $a/lun_0
	ln -s $t/lun/lun_0 $a/lun_0/lun
	mkdir $t/np/10.9.0.1:3260
	printf 1 >$t/enable
`

const iscsiadm = "iscsiadm -m node -T iqn.2010-10.org.openstack:volume -p 10.9.0.1:3260 "

// record makes the node record by hand: discovery would add all the portals.
const record = iscsiadm + `-o new -I default
	` + iscsiadm + `-o update -n node.session.auth.authmethod -v CHAP
	` + iscsiadm + `-o update -n node.session.auth.username -v alice
	` + iscsiadm + `-o update -n node.session.initial_login_retry_max -v 1
`

func setPassword(password string) string {
	return iscsiadm + "-o update -n node.session.auth.password -v " + password + "\n"
}

// login logs in and finds the disk; the session is up before the disk is.
const login = iscsiadm + "--login >&2" + find

// find waits for the session's disk, which appears a little after the login.
const find = `
	for i in $(seq 100); do
		disk=$(ls -d /sys/class/iscsi_session/session*/device/target*/*:0/block/sd* 2>/dev/null | head -n 1)
		[ -z "$disk" ] || break
		usleep 50000
	done
	disk=/dev/${disk##*/}
`
