package carry

import (
	"net"
	"slices"
	"testing"

	"clinker/internal/fault"
)

// listening gives the address of somebody who answers, or of nobody.
func listening(t *testing.T, answers bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if !answers {
		l.Close()
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
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
