package carry

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"clinker/internal/fault"
)

// stateFiles reads all that is kept, locks included.
func stateFiles(t *testing.T, m *machine) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(m.root, "var/lib/clinker/attach/*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestAttachAndDetach(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	m := newMachine(t, s)
	h := m.host()
	for range 2 { // the second finds all done
		path, err := h.Attach(t.Context(), "data", AttachOptions{})
		if err != nil || path != "/dev/sda" {
			t.Fatalf("got %q %v", path, err)
		}
	}
	if s.made != 1 || m.logins != 1 || s.volumes[volumeID]["status"] != "in-use" {
		t.Errorf("%d attachments, %d logins, volume %v", s.made, m.logins, s.volumes[volumeID])
	}
	files := stateFiles(t, m)
	if len(files) != 1 {
		t.Fatalf("files: %v", files)
	}
	text, _ := os.ReadFile(files[0])
	info, _ := os.Stat(files[0])
	if strings.Contains(string(text), password) || info.Mode().Perm() != 0o600 || !strings.Contains(string(text), `"step": "attached"`) {
		t.Errorf("mode %v: %s", info.Mode(), text)
	}
	if err := h.Detach(t.Context(), "data"); err != nil {
		t.Fatal(err)
	}
	if m.loggedIn() || len(s.attachments) != 0 || len(stateFiles(t, m)) != 0 || s.volumes[volumeID]["status"] != "available" {
		t.Errorf("left: session %v, %v, %v", m.loggedIn(), s.attachments, stateFiles(t, m))
	}
	if err := h.Detach(t.Context(), "data"); !fault.Is(err, fault.NotFound) {
		t.Errorf("again: %v", err)
	}
}

// Whatever is killed at whatever step, and whether or not the step had its
// effect, the same command again finishes, and detach leaves nothing.
func TestEveryStepCanBeRepeated(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for n, snapped := 1, true; snapped; n++ {
			trap := &trap{}
			s := newService(t, trap)
			m := newMachine(t, s)
			trap.set(n, after)
			_, err := m.host().Attach(t.Context(), volumeID, AttachOptions{})
			if snapped = trap.snapped(); snapped != (err != nil) {
				t.Fatalf("attach, step %d after=%v: snapped %v, error %v", n, after, snapped, err)
			}
			if path, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil || path != "/dev/sda" {
				t.Fatalf("attach again, step %d after=%v: %q %v", n, after, path, err)
			}
			if len(s.attachments) != 1 || s.volumes[volumeID]["status"] != "in-use" {
				t.Fatalf("attach again, step %d after=%v: %v", n, after, s.attachments)
			}
		}
		for n, snapped := 1, true; snapped; n++ {
			trap := &trap{}
			s := newService(t, trap)
			m := newMachine(t, s)
			if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
				t.Fatal(err)
			}
			trap.set(n, after)
			err := m.host().Detach(t.Context(), volumeID)
			if snapped = trap.snapped(); snapped != (err != nil) {
				t.Fatalf("detach, step %d after=%v: snapped %v, error %v", n, after, snapped, err)
			}
			if snapped {
				if err := m.host().Detach(t.Context(), volumeID); err != nil {
					t.Fatalf("detach again, step %d after=%v: %v", n, after, err)
				}
			}
			if m.loggedIn() || len(s.attachments) != 0 || len(stateFiles(t, m)) != 0 {
				t.Fatalf("detach again, step %d after=%v: left %v %v", n, after, s.attachments, stateFiles(t, m))
			}
		}
	}
}

// Detach undoes an attach that was killed at any step.
func TestDetachUndoesHalfAnAttach(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for n, snapped := 1, true; snapped; n++ {
			trap := &trap{}
			s := newService(t, trap)
			m := newMachine(t, s)
			trap.set(n, after)
			_, _ = m.host().Attach(t.Context(), volumeID, AttachOptions{})
			snapped = trap.snapped()
			if err := m.host().Detach(t.Context(), volumeID); err != nil && !fault.Is(err, fault.NotFound) {
				t.Fatalf("step %d after=%v: %v", n, after, err)
			}
			if m.loggedIn() || len(s.attachments) != 0 || len(stateFiles(t, m)) != 0 {
				t.Fatalf("step %d after=%v: left %v %v", n, after, s.attachments, stateFiles(t, m))
			}
		}
	}
}

func TestSomebodyElsesAttachmentIsNotAdopted(t *testing.T) {
	t.Parallel()
	trap := &trap{}
	s := newService(t, trap)
	m := newMachine(t, s)
	h := m.host()
	if err := h.states.Save(State{VolumeID: volumeID, VolumeName: "data", Step: Asking}); err != nil {
		t.Fatal(err)
	}
	theirs := s.attach(volumeID, "iqn.1993-08.org.debian:01:other", "rw")
	s.volumes[volumeID]["status"] = "attaching"
	if _, err := h.Attach(t.Context(), volumeID, AttachOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	if m.loggedIn() || len(stateFiles(t, m)) != 0 || s.attachments[theirs["id"].(string)] == nil {
		t.Errorf("left: %v %v", s.attachments, stateFiles(t, m))
	}
}

func TestRefusedAttachLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	m := newMachine(t, s)
	s.volumes[volumeID]["status"] = "error"
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	if files := stateFiles(t, m); len(files) != 0 {
		t.Errorf("left %v", files)
	}
}

func TestTheWrongDiskIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*machine)
		code   fault.Code
		says   string
	}{
		{"another volume", func(m *machine) { m.serial = otherID }, fault.Conflict, "is not volume"},
		{"no serial", func(m *machine) { m.serial = " " }, fault.Conflict, "is not volume"},
		{"cut serial", func(m *machine) { m.serial = volumeID[:35] }, "", ""},
		{"too small", func(m *machine) { m.service.volumes[volumeID]["size"] = 2 }, fault.Conflict, "has 1073741824 bytes, and its volume 2147483648"},
		{"bigger", func(m *machine) { m.sizeGiB = 2 }, "", ""},
		{"no disk", func(m *machine) { m.dead = true }, fault.Timeout, "LUN 1 did not appear"},
	} {
		m := newMachine(t, newService(t, nil))
		c.change(m)
		_, err := m.host().Attach(t.Context(), volumeID, AttachOptions{})
		if fault.CodeOf(err) != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", c.name, err)
		}
		if status := m.service.volumes[volumeID]["status"]; c.code != "" && status != "attaching" {
			t.Errorf("%s: volume is %v", c.name, status)
		}
		if err := m.host().Detach(t.Context(), volumeID); err != nil || len(m.service.attachments) != 0 {
			t.Errorf("%s: detach: %v", c.name, err)
		}
	}
}

func TestDetachRefusesWhileInUse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		use  func(*machine)
		says string
	}{
		{"mount", func(m *machine) { m.file("proc/self/mountinfo", "30 22 8:0 / /mnt/a rw,noatime - ext4 /dev/sda rw\n") }, "/dev/sda is mounted at /mnt/a"},
		{"mount behind an overlay of many layers", func(m *machine) {
			m.file("proc/self/mountinfo", "29 22 0:40 / /o rw - overlay overlay rw,lowerdir="+strings.Repeat("/layer:", 10000)+"/l\n30 22 8:0 / /mnt/a rw - ext4 /dev/sda rw\n")
		}, "/dev/sda is mounted at /mnt/a"},
		{"btrfs", func(m *machine) { m.file("proc/self/mountinfo", "30 22 0:44 / /mnt rw - btrfs /dev/sda rw\n") }, "/dev/sda is mounted at /mnt"},
		{"partition", func(m *machine) {
			m.file("sys/class/block/sda/sda1/partition", "1\n")
			m.file("sys/class/block/sda1/dev", "8:1\n")
			m.file("proc/self/mountinfo", "30 22 8:1 / /mnt rw - ext4 /dev/sda1 rw\n")
		}, "/dev/sda1 is mounted at /mnt"},
		{"LVM", func(m *machine) {
			m.file("sys/class/block/sda/holders/dm-3", "")
			m.file("sys/class/block/dm-3/dm/name", "vg-lv\n")
		}, "/dev/sda is held by dm-3 (vg-lv)"},
		{"swap", func(m *machine) { m.file("proc/swaps", "Filename Type\n/dev/sda partition 1 0 -2\n") }, "/dev/sda is used as swap"},
		{"open", func(m *machine) {
			m.file("proc/99999999/comm", "qemu\n")
			m.link("proc/99999999/fd/5", "/dev/sda")
			m.link("proc/99999999/fd/6", "/dev/sda")
		}, "in use: /dev/sda is open in process 99999999 (qemu)"},
	} {
		m := newMachine(t, newService(t, nil))
		if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
			t.Fatal(err)
		}
		c.use(m)
		err := m.host().Detach(t.Context(), volumeID)
		if !fault.Is(err, fault.Busy) || !strings.HasSuffix(err.Error(), c.says) {
			t.Errorf("%s: got %v", c.name, err)
		}
		state, _ := m.host().states.Load(volumeID)
		if !m.loggedIn() || len(m.service.attachments) != 1 || state.Step != Attached {
			t.Errorf("%s: something changed", c.name)
		}
	}
}

// An attachment that was deleted elsewhere leaves a dead session behind.
func TestStaleSession(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	m := newMachine(t, s)
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	clear(s.attachments)
	s.volumes[volumeID]["status"] = "available"
	m.file("proc/swaps", "Filename Type\n/dev/sda partition 1 0 -2\n")
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); !fault.Is(err, fault.Busy) {
		t.Errorf("in use: got %v", err)
	}
	m.file("proc/swaps", "")
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil || m.logins != 2 {
		t.Errorf("got %v after %d logins", err, m.logins)
	}
	clear(s.attachments)
	if err := m.host().Detach(t.Context(), volumeID); err != nil || m.loggedIn() || len(stateFiles(t, m)) != 0 {
		t.Errorf("detach: %v", err)
	}
}

// While its node does not answer, a volume is neither said to be attached, nor flushed,
// which would hang. Somebody who gives up what is not written deletes the attachment.
func TestSilentNode(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	m := newMachine(t, s)
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	_, err := m.host().Attach(t.Context(), volumeID, AttachOptions{})
	must("attach", err)
	const session, disk = "sys/class/iscsi_session/session7/state", "sys/class/block/sda/device/state"
	for path, state := range map[string]string{session: "FAILED\n", disk: "transport-offline\n"} {
		m.file(path, state)
		_, err := m.host().Attach(t.Context(), volumeID, AttachOptions{})
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), strings.TrimSpace(state)) {
			t.Errorf("attach, %s: %v", state, err)
		}
		err = m.host().Detach(t.Context(), volumeID)
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "delete the attachment aaaaaaaa-") || !m.loggedIn() {
			t.Errorf("detach, %s: %v", state, err)
		}
		m.gone(path)
	}
	m.file(session, "LOGGED_IN\n")
	m.file(disk, "running\n")
	_, err = m.host().Attach(t.Context(), volumeID, AttachOptions{})
	must("attach again", err)
	m.file(session, "FAILED\n")
	clear(s.attachments)
	must("detach without the attachment", m.host().Detach(t.Context(), volumeID))
	if m.loggedIn() || len(stateFiles(t, m)) != 0 {
		t.Error("something is left")
	}
}

// Of an encrypted volume neither is what decrypts it.
func TestSilentNodeOfAnEncryptedVolume(t *testing.T) {
	t.Parallel()
	m, _, host := newVault(t, nil)
	if _, err := host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	m.file("sys/class/iscsi_session/session7/state", "FAILED\n")
	err := host().Detach(t.Context(), volumeID)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "FAILED") || !m.loggedIn() {
		t.Errorf("detach: %v", err)
	}
	if state, err := host().states.Load(volumeID); err != nil || !host().system.mapped(state.Mapper) || state.Step != Attached {
		t.Errorf("something changed: %+v, %v", state, err)
	}
	clear(m.service.attachments)
	if err := host().Detach(t.Context(), volumeID); err != nil || host().system.mapped(mapperName(volumeID)) || m.loggedIn() {
		t.Errorf("detach without the attachment: %v", err)
	}
}

// A session that has ended in between does not count as one that answers.
func TestSilentWithoutSession(t *testing.T) {
	t.Parallel()
	h := newMachine(t, newService(t, nil)).host()
	if why := h.silent(t.Context(), connection.IQN, connection.Portal, "sda"); !strings.Contains(why, "there is no session") {
		t.Errorf("got %q", why)
	}
}

// What is attached to be written to is not passed off as read-only.
func TestReadOnlyOfWritable(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newService(t, nil))
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{ReadOnly: true}); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	m := newMachine(t, s)
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{ReadOnly: true}); err != nil {
		t.Fatal(err)
	}
	if state, _ := m.host().states.Load(volumeID); !state.ReadOnly {
		t.Errorf("got %+v", state)
	}
}

func TestUdevsNameIsPreferred(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newService(t, nil))
	m.file("run/udev/control", "")
	name := "/dev/disk/by-path/ip-127.0.0.1:3260-iscsi-iqn.2010-10.org.openstack:volume-" + volumeID + "-lun-1"
	m.link(name, "../../sda")
	if path, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil || path != name {
		t.Errorf("got %q %v", path, err)
	}
}

func TestUdevsNameOfIPv6(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newService(t, nil))
	name := "/dev/disk/by-path/ip-fd00::21:3260-iscsi-iqn.2010-10.org.openstack:volume-" + volumeID + "-lun-0"
	m.link(name, "../../sda")
	c := Connection{IQN: "iqn.2010-10.org.openstack:volume-" + volumeID, Portal: "[fd00::21]:3260"}
	if path := m.host().system.stablePath("sda", c); path != name {
		t.Errorf("got %q", path)
	}
}

// FuzzMounts: no other mount hides one.
func FuzzMounts(f *testing.F) {
	f.Add("29 22 0:40 / /o rw - overlay overlay rw,lowerdir=/a:/b\n", "31 22 8:1 / /a\\040b rw shared:1 - ext4 /dev/sda1 rw")
	f.Add(strings.Repeat("x", 1<<17), "30 22 0:44 / /mnt rw - btrfs /dev/sda rw\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + "\n30 22 8:0 / /mnt/a rw,noatime - ext4 /dev/disk/by-id/x rw\n" + after
		if places := mountsIn(text, "sda", "8:0"); !slices.Contains(places, "/mnt/a") {
			t.Errorf("%q: %q", text, places)
		}
	})
}
