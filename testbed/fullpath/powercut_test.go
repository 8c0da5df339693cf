package fullpath

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
	"clinker/testbed"
	"clinker/testbed/machine"
)

// powerCut pulls the storage node's plug under a machine that writes, and has
// the control plane down as well when the node comes back: its own journal
// must do.
func (p *path) powerCut(t *testing.T) {
	ids, sums := map[string]string{}, map[string]string{}
	for _, kind := range kinds {
		v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, VolumeType: kind, Name: "cut-" + kind})
		ids[kind] = v.ID
		sums[kind] = p.first.Run(t, fmt.Sprintf(`device=%s dir=/mnt/%s
			mkfs.ext4 -q $device
			mkdir -p $dir
			mount $device $dir
			dd if=/dev/urandom of=$dir/synced bs=1M count=4 conv=fsync status=none
			sync $dir
			sha256sum <$dir/synced`, p.first.attach(t, v.ID), kind))
	}
	exports, sessions := p.node.exports(t), p.first.sessions(t)
	writer := p.first.startWriting(t)
	p.first.awaitWritten(t, 5)

	p.API.Kill()
	p.Scheduler.Kill()
	p.node.PowerCut(t)
	cut := time.Now()
	before := p.first.written(t)
	p.node.Boot(t)
	p.node.start(t)
	p.first.awaitWritten(t, before+5)
	t.Logf("writes go on %.1f s after the power cut, boot included", time.Since(cut).Seconds())
	if now := p.node.exports(t); now != exports {
		t.Errorf("exports after the power cut:\n%s\nbefore:\n%s", now, exports)
	}
	if now := p.first.sessions(t); now != sessions {
		t.Errorf("sessions after the power cut:\n%s\nbefore:\n%s", now, sessions)
	}
	p.first.endWriting(t, writer)
	check(t, p.Scheduler.Start())
	check(t, p.API.Start())
	p.node.awaitPools(t, time.Now())
	for _, kind := range kinds {
		p.intact(t, kind, ids[kind], sums[kind])
	}
}

// intact looks at what the disk has, not at what the machine remembers.
func (p *path) intact(t *testing.T, kind, id, sum string) {
	t.Helper()
	device := strings.TrimSpace(p.first.Run(t, "grep ' /mnt/"+kind+" ' /proc/mounts | cut -d ' ' -f 1"))
	p.first.Run(t, "umount /mnt/"+kind+"; echo 3 >/proc/sys/vm/drop_caches; e2fsck -fn "+device+" >&2")
	got := p.first.Run(t, fmt.Sprintf(`mount %[1]s /mnt/%[2]s
		sha256sum </mnt/%[2]s/synced
		for i in $(seq $(cat /run/acknowledged-%[2]s)); do
			[ $(wc -c </mnt/%[2]s/$i) = 4096 ] || { echo "file $i is lost" >&2; exit 1; }
		done
		umount /mnt/%[2]s`, device, kind))
	if got != sum {
		t.Errorf("%s: checksum %q, before the power cut %q", kind, got, sum)
	}
	p.first.detach(t, id)
	rig.AwaitVolume(t, p.user, id, "available")
	rig.DeleteVolume(t, p.user, id)
}

// writing writes small files to both volumes in turn, each synced before it
// counts as acknowledged. It ends with status 3 at the first error.
const writing = `
	for i in $(seq 100000); do
		for kind in thick thin; do
			dd if=/dev/urandom of=/mnt/$kind/$i bs=4k count=1 conv=fsync status=none || exit 3
			echo $i >/run/acknowledged-$kind.new
			mv /run/acknowledged-$kind.new /run/acknowledged-$kind
		done
	done`

func (m *client) startWriting(t *testing.T) *machine.Process {
	t.Helper()
	p, err := m.Machine.Start(t.Context(), testbed.Command{Args: machine.Bash(writing)})
	check(t, err)
	return p
}

// written is how many files both volumes have acknowledged.
func (m *client) written(t *testing.T) int64 {
	t.Helper()
	return m.number(t, "cat /run/acknowledged-thin 2>/dev/null || echo 0")
}

func (m *client) awaitWritten(t *testing.T, n int64) {
	t.Helper()
	m.Run(t, fmt.Sprintf(`for i in $(seq 600); do
			[ $(cat /run/acknowledged-thin 2>/dev/null || echo 0) -lt %d ] || exit 0
			usleep 200000
		done
		echo "no progress in 2 minutes" >&2; exit 1`, n))
}

// endWriting ends the writer, which no error has ended before.
func (m *client) endWriting(t *testing.T, writer *machine.Process) {
	t.Helper()
	check(t, writer.Signal(t.Context(), syscall.SIGTERM))
	status, err := writer.Wait(t.Context())
	check(t, err)
	if status != 128+int(syscall.SIGTERM) {
		t.Errorf("the writer ended with status %d: it saw an error", status)
	}
}
