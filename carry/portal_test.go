package carry

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// listening gives the address of somebody who answers, or of nobody: that one is taken
// until the test ends, so that nobody else listens there meanwhile.
func listening(t *testing.T, answers bool) string {
	t.Helper()
	if !answers {
		return taken(t)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// taken binds a socket that does not listen.
func taken(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(address.(*unix.SockaddrInet4).Port))
}

// One path is enough, whichever of the node's portals it leads to; and what has a session
// stays with it.
func TestPortals(t *testing.T) {
	t.Parallel()
	dead, first, second := listening(t, false), listening(t, true), listening(t, true)
	s := newService(t, nil)
	m := newMachine(t, s)
	attached := func(want string, portals ...string) {
		t.Helper()
		s.portals = portals
		for _, a := range s.attachments {
			info := a["connection_info"].(map[string]any)
			info["target_portal"], info["target_portals"] = portals[0], portals
		}
		if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
			t.Fatal(err)
		}
		if state, err := m.host().states.Load(volumeID); err != nil || state.Portal != want {
			t.Errorf("of %q: %q, %v; want %q", portals, state.Portal, err, want)
		}
	}
	attached(first, dead, first, second)
	attached(first, second, first)
	m.hide() // a reboot
	attached(second, second, first)
	if m.logins != 2 {
		t.Errorf("%d logins", m.logins)
	}
	clear(s.attachments) // and what is left of it is not forgotten
	m.hide()
	s.volumes[volumeID]["status"] = "available"
	attached(first, dead, first)
	if want := []string{first, second}; !slices.Equal(m.left, want) {
		t.Errorf("left %q, want %q", m.left, want)
	}
	if err := m.host().Detach(t.Context(), volumeID); err != nil || m.loggedIn() {
		t.Errorf("detach: %v", err)
	}
	s.portals = []string{first, "storage.example:3260"}
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); !fault.Is(err, fault.Internal) {
		t.Errorf("a portal that is none: %v", err)
	}
}

// A session that an attachment deleted elsewhere has left ends, also where the volume is
// not served any more: nobody would come by there again.
func TestStaleSessionAtAnotherPortal(t *testing.T) {
	t.Parallel()
	old, now := listening(t, true), listening(t, true)
	s := newService(t, nil)
	m := newMachine(t, s)
	attach := func() (State, error) {
		_, err := m.host().Attach(t.Context(), volumeID, AttachOptions{})
		state, errLoad := m.host().states.Load(volumeID)
		return state, errors.Join(err, errLoad)
	}
	s.portals = []string{old}
	if _, err := attach(); err != nil {
		t.Fatal(err)
	}
	clear(s.attachments)
	s.volumes[volumeID]["status"] = "available"
	s.portals, s.lun = []string{now}, 0
	m.file("proc/swaps", "Filename Type\n/dev/sda partition 1 0 -2\n")
	if _, err := attach(); !fault.Is(err, fault.Busy) || !m.loggedIn() {
		t.Errorf("in use: %v", err)
	}
	m.file("proc/swaps", "")
	for _, a := range s.attachments {
		a["connection_info"].(map[string]any)["target_lun"] = 1 // the fake's only one
	}
	if state, err := attach(); err != nil || state.Portal != now || m.logins != 2 {
		t.Errorf("%q, %v, %d logins", state.Portal, err, m.logins)
	}
}

// What open-iscsi keeps of another target at the same portal goes.
func TestAnotherTargetAtThePortal(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newService(t, nil))
	const portal = "127.0.0.1:3260"
	if err := m.host().states.Save(State{VolumeID: volumeID, Step: Granted, AttachmentID: otherID,
		IQN: "iqn.2010-10.org.openstack:old", Portal: portal}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil || !slices.Equal(m.left, []string{portal}) {
		t.Errorf("left %q, %v", m.left, err)
	}
}

// When a volume is given up, so is what open-iscsi keeps of an earlier attachment.
func TestEarlierPortalIsLeft(t *testing.T) {
	t.Parallel()
	const portal = "127.0.0.1:3261"
	for what, do := range map[string]func(s *service, h *Host) error{
		"a refused attach": func(s *service, h *Host) error {
			s.volumes[volumeID]["status"] = "error"
			if _, err := h.Attach(t.Context(), volumeID, AttachOptions{}); !fault.Is(err, fault.Invalid) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		},
		"detach without an attachment": func(_ *service, h *Host) error { return h.Detach(t.Context(), volumeID) },
		"detach with one": func(s *service, h *Host) error {
			s.attach(volumeID, initiator, "rw")
			return h.Detach(t.Context(), volumeID)
		},
	} {
		s := newService(t, nil)
		m := newMachine(t, s)
		if err := m.host().states.Save(State{VolumeID: volumeID, Step: Asking, IQN: connection.IQN, Portal: portal}); err != nil {
			t.Fatal(err)
		}
		if err := do(s, m.host()); err != nil || m.loggedIn() || len(stateFiles(t, m)) != 0 || len(s.attachments) != 0 {
			t.Errorf("%s: %v; left %v, %v", what, err, s.attachments, stateFiles(t, m))
		}
		if !slices.Equal(m.left, []string{portal}) {
			t.Errorf("%s: left %q", what, m.left)
		}
	}
}

// A stale session does not draw the next login to a portal at which nobody answers.
func TestStaleSessionDoesNotChooseThePortal(t *testing.T) {
	t.Parallel()
	dead, alive := listening(t, false), listening(t, true)
	s := newService(t, nil)
	m := newMachine(t, s)
	s.portals = []string{dead}
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	clear(s.attachments)
	s.volumes[volumeID]["status"] = "available"
	s.portals = []string{dead, alive}
	_, err := m.host().Attach(t.Context(), volumeID, AttachOptions{})
	if state, errLoad := m.host().states.Load(volumeID); errors.Join(err, errLoad) != nil || state.Portal != alive {
		t.Errorf("%q, %v, %v; want %q", state.Portal, err, errLoad, alive)
	}
}
