package fullpath

import (
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

const gib = int64(1) << 30

// story is the main job: a machine writes, its volume grows under it, and
// another machine finds the data.
func (p *path) story(t *testing.T, kind string) {
	v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, VolumeType: kind, Name: "story-" + kind})
	device := p.first.attach(t, v.ID)
	if v := rig.AwaitVolume(t, p.user, v.ID, "in-use"); len(v.Attachments) != 1 {
		t.Errorf("attachments of the volume: %+v", v.Attachments)
	}
	p.first.Run(t, `mkfs.ext4 -q `+device+`
		mount `+device+` /mnt
		dd if=/dev/urandom of=/mnt/before bs=1M count=8 conv=fsync status=none`)
	sessions, small := p.first.sessions(t), p.first.number(t, mountedKiB)
	p.growsUnderIt(t, v.ID, device)
	if now := p.first.sessions(t); now != sessions {
		t.Errorf("sessions before growing %q, and after %q", sessions, now)
	}
	sum := p.first.Run(t, `resize2fs `+device+` >&2
		dd if=/dev/urandom of=/mnt/after bs=1M count=8 conv=fsync status=none
		cat /mnt/before /mnt/after | sha256sum`)
	if large := p.first.number(t, mountedKiB); large < small+gib>>10*9/10 {
		t.Errorf("the file system has %d KiB after growing, and had %d", large, small)
	}
	p.first.Run(t, "umount /mnt")
	p.first.detach(t, v.Name) // by name, for once
	rig.AwaitVolume(t, p.user, v.ID, "available")
	if left := p.first.sessions(t); left != "" {
		t.Errorf("sessions after the detach: %q", left)
	}

	device = p.second.attach(t, v.ID)
	got := p.second.Run(t, `[ $(blockdev --getsize64 `+device+`) = 2147483648 ]
		mount `+device+` /mnt
		cat /mnt/before /mnt/after | sha256sum
		umount /mnt`)
	if got != sum {
		t.Errorf("checksum in the second machine %q, in the first %q", got, sum)
	}
	p.second.detach(t, v.ID)
	rig.DeleteVolume(t, p.user, v.ID)
}

// mountedKiB prints the size of the file system at /mnt.
const mountedKiB = "df -k /mnt | tail -n 1 | awk '{print $2}'"

// growsUnderIt extends a volume of 1 GiB to 2 while the first machine has it
// mounted; `clinker watch` there makes the kernel see it.
func (p *path) growsUnderIt(t *testing.T, id, device string) {
	t.Helper()
	w := p.first.watch(t)
	w.hears(t, event{News: "ready", VolumeID: id, SizeBytes: gib})
	check(t, volumes.ExtendSize(t.Context(), p.user, id, volumes.ExtendSizeOpts{NewSize: 2}).ExtractErr())
	w.hears(t, event{News: "grown", VolumeID: id, SizeBytes: 2 * gib})
	w.end(t)
	if v := rig.AwaitVolume(t, p.user, id, "in-use"); v.Size != 2 {
		t.Errorf("the API says %d GiB after growing to 2", v.Size)
	}
	if size := p.first.number(t, "blockdev --getsize64 "+device); size != 2*gib {
		t.Errorf("%s has %d bytes", device, size)
	}
}
