package fullpath

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"golang.org/x/sys/unix"

	"clinker/tempest/rig"
)

// write fills places at both ends of a device with the marker.
const write = `for at in 0 1016; do
	{ yes "$marker" 2>/dev/null || true; } | head -c 8388608 | dd of=$device bs=1M seek=$at oflag=direct iflag=fullblock status=none
done`

// count prints how many bytes there are not zero.
const count = `for at in 0 1016; do dd if=$device bs=1M skip=$at count=8 iflag=direct status=none; done | tr -d '\0' | wc -c`

// marked makes a volume, has the first machine write a marker to it, and
// deletes it.
func (p *path) marked(t *testing.T, kind, marker string, beforeDelete func(id string)) {
	t.Helper()
	v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, VolumeType: kind})
	device := p.first.attach(t, v.ID)
	p.first.Run(t, "marker="+marker+" device="+device+"\n"+write)
	p.first.detach(t, v.ID)
	beforeDelete(v.ID)
	rig.DeleteVolume(t, p.user, v.ID)
}

// isBlank makes another volume and has the second machine read it.
func (p *path) isBlank(t *testing.T, kind, more string, beforeRead func(id string)) {
	t.Helper()
	v := rig.NewVolume(t, p.user, volumes.CreateOpts{Size: 1, VolumeType: kind})
	beforeRead(v.ID)
	device := p.second.attach(t, v.ID)
	if n := p.second.number(t, "device="+device+"\n"+more+"\n"+count); n != 0 {
		t.Errorf("a new volume has %d bytes of another's", n)
	}
	p.second.detach(t, v.ID)
	rig.DeleteVolume(t, p.user, v.ID)
}

// wipesThick follows a deleted thick volume's bytes to the node's disk: gone
// from the API at once, from the disk soon, and then its extents are given away.
func (p *path) wipesThick(t *testing.T) {
	marker := "clinker-" + uuid.NewString()
	disk := filepath.Join(p.node.Dir(), "data.raw")
	var extents string
	p.marked(t, "thick", marker, func(id string) {
		extents = p.extents(t, id)
		if n := occurrences(t, disk, marker); n == 0 {
			t.Fatal("the marker is not on the node's disk: this test would show nothing")
		}
	})
	rig.Eventually(t, 2*time.Minute, func() error {
		trash, err := p.node.Script(t.Context(), "lvs --noheadings -o lv_name vg0 | grep _trash || true")
		if err == nil && len(trash) > 0 {
			time.Sleep(500 * time.Millisecond) // the guest has other work
			err = fmt.Errorf("still to be wiped: %s", strings.TrimSpace(string(trash)))
		}
		return err
	})
	if n := occurrences(t, disk, marker); n > 0 {
		t.Errorf("%d MiB of the deleted volume are still on the node's disk", n)
	}
	p.isBlank(t, "thick", "", func(id string) {
		if now := p.extents(t, id); now != extents {
			t.Logf("the new volume has the extents %s, the deleted one had %s", now, extents)
		}
	})
}

func (p *path) extents(t *testing.T, id string) string {
	t.Helper()
	return strings.TrimSpace(p.node.Run(t, "lvs --noheadings -o seg_pe_ranges vg0/volume-"+id))
}

// hidesThin: a thin pool's blocks are not wiped but blanked when they are given
// away, also where only a part of one is written.
func (p *path) hidesThin(t *testing.T) {
	p.marked(t, "thin", "clinker-"+uuid.NewString(), func(string) {})
	const touch = `for at in 0 1016; do dd if=/dev/zero of=$device bs=4k count=1 seek=$((at * 256)) oflag=direct status=none; done`
	p.isBlank(t, "thin", touch, func(string) {})
}

// occurrences counts the MiB of a sparse file in which a text is found.
func occurrences(t *testing.T, file, text string) (n int) {
	t.Helper()
	fd, err := unix.Open(file, unix.O_RDONLY, 0)
	check(t, err)
	defer unix.Close(fd)
	buffer := make([]byte, 1<<20)
	for at := int64(0); ; {
		data, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return n // no data from here to the end
		}
		check(t, err)
		got, err := unix.Pread(fd, buffer, data)
		check(t, err)
		if strings.Contains(string(buffer[:got]), text) {
			n++
		}
		at = data + int64(got)
	}
}
