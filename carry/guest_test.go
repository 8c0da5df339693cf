package carry

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clinker/internal/fault"
	"clinker/internal/run"
	"clinker/testbed/guest"
)

// shell runs a script in the guest and gives its output.
func shell(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	output, err := run.Output(ctx, "sh", "-e", "-c", script)
	if err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	return string(output)
}

const lio = `
	C=/sys/kernel/config/target
	b=$C/core/iblock_77/carry
	t=$C/iscsi/iqn.2010-10.org.openstack:volume-` + volumeID + `/tpgt_1
`

// export makes LIO serve the logical volume vg0/carry to nobody so far.
const export = lio + `
	modprobe -a target_core_mod target_core_iblock iscsi_target_mod
	lvcreate -q -y -L 1G -n carry vg0 >&2
	mkdir -p $C/iscsi $b
	printf udev_path=/dev/vg0/carry >$b/control
	printf ` + volumeID + ` >$b/wwn/vpd_unit_serial
	printf 1 >$b/enable
	mkdir -p $t/lun/lun_0
	printf 1 >$t/attrib/authentication
	printf 0 >$t/attrib/generate_node_acls
	ln -s $b $t/lun/lun_0/carry
	mkdir $t/np/127.0.0.1:3260
	printf 1 >$t/enable
`

const unexport = lio + `
	for a in $t/acls/*; do [ ! -d $a ] || { rm -f $a/lun_0/lun; rmdir $a/lun_0 $a; }; done
	rm -f $t/lun/lun_0/carry
	printf 0 >$t/enable
	rmdir $t/lun/lun_0 $t/np/* $t ${t%/tpgt_1} $b
	lvremove -q -y vg0/carry >&2
`

// realService is the fake service with grants that a real LIO target keeps.
func realService(t *testing.T) *service {
	shell(t, export)
	t.Cleanup(func() { shell(t, unexport) })
	s := newService(t, nil)
	s.lun = 0
	s.changed = func(username, initiator string, there bool) {
		acl := "a=$t/acls/" + initiator + "\n"
		if !there {
			shell(t, lio+acl+"rm $a/lun_0/lun; rmdir $a/lun_0 $a")
			return
		}
		shell(t, lio+acl+`mkdir $a
			printf `+username+` >$a/auth/userid
			printf `+password+` >$a/auth/password
			mkdir $a/lun_0
			ln -s $t/lun/lun_0 $a/lun_0/lun`)
	}
	return s
}

// TestGuestCarriesAVolume goes the whole way with the real kernel and open-iscsi.
func TestGuestCarriesAVolume(t *testing.T) {
	guest.Require(t)
	s := realService(t)
	h := New(s.cloud(), nil, Options{})
	attach := func() string {
		t.Helper()
		path, err := h.Attach(t.Context(), "data", AttachOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Cleanup(func() { _ = h.Detach(context.WithoutCancel(t.Context()), "data") })

	disk := attach()
	if again := attach(); again != disk || s.made != 1 {
		t.Errorf("again: %s, then %s; %d attachments", disk, again, s.made)
	}
	shell(t, "mkfs.ext4 -q "+disk+"; mount "+disk+" /mnt; echo kept >/mnt/file")
	t.Run("Mounted", func(t *testing.T) { refusesDetach(t, h, disk+" is mounted at /mnt") })
	t.Run("Grow", func(t *testing.T) { grows(t, s, h) })
	shell(t, "umount /mnt")
	t.Run("Open", func(t *testing.T) {
		f, err := os.OpenFile(disk, os.O_RDONLY|os.O_EXCL, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		refusesDetach(t, h, disk+" is in use") // this process itself is not looked for by name
	})
	t.Run("Detach", func(t *testing.T) {
		if err := h.Detach(t.Context(), "data"); err != nil {
			t.Fatal(err)
		}
		leftNothing(t)
	})
	t.Run("DataIsKept", func(t *testing.T) {
		if got := shell(t, "mount -o ro "+attach()+" /mnt; cat /mnt/file; umount /mnt"); got != "kept\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("Reboot", func(t *testing.T) { comesBack(t, s, h) })
	t.Run("Silent", func(t *testing.T) { waitsForItsNode(t, s, h) })
	t.Run("Stale", func(t *testing.T) { replacesStaleSession(t, s, h) })
	if err := h.Detach(t.Context(), "data"); err != nil {
		t.Fatal(err)
	}
	leftNothing(t)
}

func refusesDetach(t *testing.T, h *Host, says string) {
	t.Helper()
	if err := h.Detach(t.Context(), "data"); !fault.Is(err, fault.Busy) || !strings.Contains(fault.MessageOf(err), says) {
		t.Errorf("got %v, want %q", err, says)
	}
}

// grows extends the logical volume under the mounted file system.
func grows(t *testing.T, s *service, h *Host) {
	shell(t, "lvextend -q -L 2G vg0/carry >&2")
	s.mu.Lock()
	s.volumes[volumeID]["size"] = 2
	s.mu.Unlock()
	var heard []Event
	w := h.newWatch(func(e Event) { heard = append(heard, e) })
	if err := w.round(t.Context()); err != nil || len(heard) != 1 || heard[0].News != Grown || heard[0].SizeBytes != 2<<30 {
		t.Fatalf("heard %+v, %v", heard, err)
	}
	shell(t, "resize2fs "+heard[0].Device+" >&2")
}

// comesBack loses the session as a reboot does; Watch logs in again.
func comesBack(t *testing.T, s *service, h *Host) {
	state, err := h.states.Load(volumeID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.initiator.Logout(t.Context(), state.IQN, state.Portal); err != nil {
		t.Fatal(err)
	}
	var heard []Event
	w := h.newWatch(func(e Event) { heard = append(heard, e) })
	if err := w.round(t.Context()); err != nil || len(heard) != 1 || heard[0].News != Ready || s.made != 2 {
		t.Fatalf("heard %+v, %v, %d attachments", heard, err, s.made)
	}
}

// waitsForItsNode has the target refuse logins, as while its node is off: who detaches then
// is told so at once, and does not hang until open-iscsi gives up.
func waitsForItsNode(t *testing.T, s *service, h *Host) {
	impatient := New(s.cloud(), nil, Options{Wait: time.Second})
	shell(t, lio+`printf 0 >$t/enable
		until grep -q FAILED /sys/class/iscsi_session/session*/state; do sleep 0.1; done`)
	for what, err := range map[string]error{
		"attach": func() error { _, err := impatient.Attach(t.Context(), "data", AttachOptions{}); return err }(),
		"detach": impatient.Detach(t.Context(), "data"),
	} {
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "FAILED") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if state, err := h.states.Load(volumeID); err != nil || state.Mapper != "" && !h.system.mapped(state.Mapper) {
		t.Errorf("closed all the same: %+v, %v", state, err)
	}
	shell(t, lio+"printf 1 >$t/enable")
	if _, err := h.Attach(t.Context(), "data", AttachOptions{}); err != nil {
		t.Errorf("when the node is back: %v", err)
	}
}

// replacesStaleSession has the attachment deleted elsewhere and asks for another.
func replacesStaleSession(t *testing.T, s *service, h *Host) {
	state, err := h.states.Load(volumeID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cloud.Release(t.Context(), state.AttachmentID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Attach(t.Context(), "data", AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	if s.made != 3 {
		t.Errorf("%d attachments", s.made)
	}
}

// leftNothing looks for sessions, records and state files.
func leftNothing(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{
		"/sys/class/iscsi_session/session*", "/etc/iscsi/nodes/*" + volumeID + "/*", "/etc/iscsi/.clinker*", "/var/lib/clinker/attach/*",
	} {
		if left, _ := filepath.Glob(pattern); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	}
}

// TestGuestRefusedLogin uses a password and an initiator that the target does not know.
func TestGuestRefusedLogin(t *testing.T) {
	guest.Require(t)
	s := realService(t)
	name, err := initiatorName("/")
	if err != nil {
		t.Fatal(err)
	}
	a := s.attach(volumeID, name, "rw")
	c, err := connectionOf(a["connection_info"].(map[string]any))
	if err != nil {
		t.Fatal(err)
	}
	c.Password = "wrongwrongwrong"
	i := NewIscsiadm("/")
	if err := i.Login(t.Context(), c); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("wrong password: %v", err)
	}
	if err := i.Logout(t.Context(), c.IQN, c.Portal); err != nil {
		t.Error(err)
	}

	// A killed attach must not take what is another machine's.
	s.tell(a, false)
	clear(s.attachments)
	s.attach(volumeID, "iqn.2004-10.com.example:other", "rw")
	s.volumes[volumeID]["status"] = "attaching"
	h := New(s.cloud(), nil, Options{})
	if err := h.states.Save(State{VolumeID: volumeID, Step: Asking}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Attach(t.Context(), volumeID, AttachOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("another machine's: %v", err)
	}
	leftNothing(t)
}

// TestGuestSecondPortal: nobody answers at the first of two portals.
func TestGuestSecondPortal(t *testing.T) {
	guest.Require(t)
	s := realService(t)
	s.portals = []string{"127.0.0.1:3261", "127.0.0.1:3260"}
	h := New(s.cloud(), nil, Options{})
	disk, err := h.Attach(t.Context(), "data", AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	shell(t, "dd if=/dev/zero of="+disk+" bs=4k count=1 oflag=direct status=none")
	if err := h.Detach(t.Context(), "data"); err != nil {
		t.Fatal(err)
	}
	leftNothing(t)
}
