package carry

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"clinker/internal/fault"
)

// dmMultipath is a fake of multipathd on a fake machine, which takes the disk sda.
type dmMultipath struct {
	*machine
	takes  bool // it makes a map of the disk
	unsure int  // how often it cannot say yet
	held   bool // somebody has the map open
}

func (d *dmMultipath) Decide(_ context.Context, disk string) (bool, error) {
	if disk != "sda" {
		d.t.Errorf("decides on %q", disk)
	}
	if d.unsure > 0 {
		d.unsure--
		return false, nil
	}
	if d.takes {
		d.gather()
	}
	return true, nil
}

// gather makes the map mpatha.
func (d *dmMultipath) gather() {
	d.file("dev/mapper/mpatha", "")
	d.file("dev/dm-1", "")
	d.file("sys/class/block/dm-1/dm/name", "mpatha\n")
	d.file("sys/class/block/dm-1/dm/uuid", "mpath-36001405\n")
	d.file("sys/class/block/dm-1/dev", "253:1\n")
	d.file("sys/class/block/sda/holders/dm-1/x", "")
	d.fit()
}

// partition has the map show one.
func (d *dmMultipath) partition() {
	d.file("dev/dm-2", "")
	d.file("dev/mapper/mpatha-part1", "")
	d.file("sys/class/block/dm-2/dm/name", "mpatha-part1\n")
	d.file("sys/class/block/dm-2/dm/uuid", "part1-mpath-36001405\n")
	d.file("sys/class/block/dm-2/dev", "253:2\n")
	d.file("sys/class/block/dm-1/holders/dm-2/x", "")
}

// fit has the map show the disk's size.
func (d *dmMultipath) fit() {
	d.file("sys/class/block/dm-1/size", strconv.Itoa(d.sizeGiB<<21)+"\n")
}

func (d *dmMultipath) Resize(_ context.Context, name string) error {
	if name != "mpatha" {
		d.t.Errorf("resized %q", name)
	}
	d.fit()
	return nil
}

func (d *dmMultipath) Remove(_ context.Context, name string) error {
	if name != "mpatha" || !d.loggedIn() {
		d.t.Errorf("removed %q", name)
	}
	if d.held {
		return fault.New(fault.Busy, "held")
	}
	for _, path := range []string{"dev/mapper/mpatha", "dev/dm-1", "sys/class/block/dm-1", "sys/class/block/sda/holders", "dev/dm-2", "dev/mapper/mpatha-part1", "sys/class/block/dm-2"} {
		d.gone(path)
	}
	return nil
}

// newGathered is a machine with multipathd.
func newGathered(t *testing.T, takes bool) (*dmMultipath, *Host) {
	m := newMachine(t, newService(t, nil))
	mp := &dmMultipath{machine: m, takes: takes}
	h := m.host()
	h.multipath = mp
	return mp, h
}

// TestMultipathTakesTheDisk: who attaches gets the map, which grows with its disk and
// goes before the session does.
func TestMultipathTakesTheDisk(t *testing.T) {
	t.Parallel()
	m, h := newGathered(t, true)
	m.unsure = 3
	for range 2 {
		if path, err := h.Attach(t.Context(), "data", AttachOptions{}); err != nil || path != "/dev/mapper/mpatha" {
			t.Fatalf("%q, %v", path, err)
		}
	}
	m.service.volumes[volumeID]["size"], m.sizeGiB = 2, 2
	w := h.newWatch(func(Event) {})
	if err := w.round(t.Context()); err != nil || w.last[volumeID].Device != "/dev/mapper/mpatha" || w.last[volumeID].News != Grown {
		t.Errorf("%+v, %v", w.last[volumeID], err)
	}
	if size, err := h.system.sizeOf("dm-1"); err != nil || size != 2<<30 {
		t.Errorf("the map has %d bytes, %v", size, err)
	}
	m.partition()
	m.file("proc/self/mountinfo", "50 22 253:2 / /mnt rw - ext4 /dev/mapper/mpatha-part1 rw\n")
	refusesDetach(t, h, "mpatha-part1 is mounted at /mnt")
	m.file("proc/self/mountinfo", "")
	m.held = true
	refusesDetach(t, h, "held")
	m.held = false
	if err := h.Detach(t.Context(), "data"); err != nil {
		t.Fatal(err)
	}
	m.leaves(t)
}

// leaves looks for what should have gone.
func (d *dmMultipath) leaves(t *testing.T) {
	t.Helper()
	left, _ := filepath.Glob(filepath.Join(d.root, "dev/dm-*"))
	if d.loggedIn() || len(left) > 0 {
		t.Errorf("logged in: %v; left: %v", d.loggedIn(), left)
	}
}

// TestMultipathTakesTheDiskLater: watch tells where it is now.
func TestMultipathTakesTheDiskLater(t *testing.T) {
	t.Parallel()
	m, h := newGathered(t, false)
	if path, err := h.Attach(t.Context(), "data", AttachOptions{}); err != nil || path != "/dev/sda" {
		t.Fatalf("%q, %v", path, err)
	}
	var heard []string
	w := h.newWatch(func(e Event) { heard = append(heard, string(e.News)+" "+e.Device) })
	for range 2 {
		if err := w.round(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.gather()
	}
	if !slices.Equal(heard, []string{"ready /dev/sda", "ready /dev/mapper/mpatha"}) {
		t.Errorf("heard %q", heard)
	}
	clear(m.service.attachments) // deleted elsewhere; another attachment is another session
	m.service.volumes[volumeID]["status"] = "available"
	m.file("sys/class/iscsi_session/session7/username", "the-old-one\n")
	if path, err := h.Attach(t.Context(), "data", AttachOptions{}); err != nil || path != "/dev/sda" {
		t.Fatalf("%q, %v", path, err)
	}
	if err := h.Detach(t.Context(), "data"); err != nil {
		t.Fatal(err)
	}
	m.leaves(t)
}

// TestMultipathIsNotAskedOfAMountedDisk: it could only fail to take it.
func TestMultipathIsNotAskedOfAMountedDisk(t *testing.T) {
	t.Parallel()
	m, h := newGathered(t, false)
	if path, err := h.Attach(t.Context(), "data", AttachOptions{}); err != nil || path != "/dev/sda" {
		t.Fatalf("%q, %v", path, err)
	}
	m.takes = true
	m.file("proc/self/mountinfo", "50 22 8:0 / /mnt rw - ext4 /dev/sda rw\n")
	if path, err := h.Attach(t.Context(), "data", AttachOptions{}); err != nil || path != "/dev/sda" {
		t.Errorf("mounted: %q, %v", path, err)
	}
}

// TestMultipathThatDoesNotRun is not asked.
func TestMultipathThatDoesNotRun(t *testing.T) {
	t.Parallel()
	if decided, err := (multipathTools{t.TempDir()}).Decide(t.Context(), "sda"); !decided || err != nil {
		t.Errorf("got %v, %v", decided, err)
	}
}
