package carry

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	m := newMachine(t, s)
	h := m.host()
	var heard []string
	w := h.newWatch(func(e Event) {
		heard = append(heard, fmt.Sprintf("%s %s %s %d", e.News, e.VolumeName, e.Device, e.SizeBytes>>30))
	})
	round := func(want ...string) {
		t.Helper()
		heard = nil
		if err := w.round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(heard, want) {
			t.Errorf("heard %q, want %q", heard, want)
		}
	}

	round() // nothing is attached
	if _, err := h.Attach(t.Context(), "data", AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	round("ready data /dev/sda 1")
	round()

	s.volumes[volumeID]["size"], m.sizeGiB = 2, 2 // extended in the cloud
	round("grown data /dev/sda 2")
	round()
	if m.rescans != 1 {
		t.Errorf("%d rescans", m.rescans)
	}
	m.sizeGiB = 3
	m.size() // somebody rescanned by hand, before the service tells
	round("grown data /dev/sda 3")
	s.volumes[volumeID]["size"] = 3
	round()

	m.hide() // a reboot
	round()  // the same device again: nothing new
	if m.logins != 2 {
		t.Errorf("%d logins", m.logins)
	}

	s.volumes[volumeID]["size"] = 4 // the node does not follow
	round("failed data  0")
	round()
	m.sizeGiB = 4
	round("grown data /dev/sda 4")

	clear(s.attachments) // deleted elsewhere
	round("gone data /dev/sda 0")
	round()
	if err := h.Detach(t.Context(), volumeID); err != nil {
		t.Fatal(err)
	}
	round()
	if len(w.last) != 0 {
		t.Errorf("remembers %v", w.last)
	}
}

// Watch finishes an attach that was killed, and leaves one that is on its way back.
func TestWatchFinishesAttach(t *testing.T) {
	t.Parallel()
	trap := &trap{}
	s := newService(t, trap)
	m := newMachine(t, s)
	trap.set(4, false) // the login
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err == nil {
		t.Fatal("not killed")
	}
	var heard []Event
	w := m.host().newWatch(func(e Event) { heard = append(heard, e) })
	if err := w.round(t.Context()); err != nil || len(heard) != 1 || heard[0].News != Ready {
		t.Errorf("heard %v, %v", heard, err)
	}
	state, _ := w.states.Load(volumeID)
	state.Step = Detaching
	if err := w.states.Save(state); err != nil {
		t.Fatal(err)
	}
	m.hide()
	if err := w.round(t.Context()); err != nil || m.loggedIn() {
		t.Errorf("logged in %v, %v", m.loggedIn(), err)
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newService(t, nil))
	states := m.host().states
	unlock, err := states.tryLock(volumeID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := states.tryLock(volumeID); err == nil {
		t.Error("locked twice")
	}
	unlock()
	if unlock, err = states.tryLock(volumeID); err != nil {
		t.Fatal(err)
	}
	unlock()
	if files := stateFiles(t, m); len(files) != 0 {
		t.Errorf("left %v", files)
	}
}

// deaf is a machine whose logins nobody answers.
type deaf struct{ *machine }

func (deaf) Login(ctx context.Context, _ Connection) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestWatchWaitsForNobody: a storage node that is off does not keep news of the others'
// volumes back.
func TestWatchWaitsForNobody(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newService(t, nil))
	h := m.host()
	if _, err := h.Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	m.hide() // a reboot
	after := "f" + volumeID[1:]
	if err := h.states.Save(State{VolumeID: after, Step: Attached, AttachmentID: otherID}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var heard []Event
	h.initiator = deaf{m}
	err := h.Watch(ctx, func(e Event) { heard = append(heard, e); cancel() })
	if err != nil || len(heard) != 1 || heard[0].News != Gone || heard[0].VolumeID != after {
		t.Errorf("heard %+v, %v", heard, err)
	}
}
