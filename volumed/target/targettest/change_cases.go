package targettest

import (
	"slices"
	"sync"
	"testing"

	"clinker/volumed/target"
)

func testApplyAgain(t *testing.T, b *bench) {
	e, _ := b.export(t, grant(alice))
	a := b.apply(t, e)
	s := b.login(t, with(a, e, e.Grants[0]))
	b.works(t, s, 0, 1)
	before := b.sessions(t, e.IQN)
	for range 3 {
		b.apply(t, e)
	}
	// A new process of the node knows nothing of what was applied.
	b.target = b.Open(t, b.Prefix)
	b.apply(t, e)
	b.same(t, e.IQN, before)
	b.works(t, s, mib, 2)
	b.login(t, with(a, e, e.Grants[0])) // and the password is still the same
}

// testTurnedReadOnly takes the right to write from an initiator that is logged
// in, and gives it back. Its disk was writable when it looked, so that nobody but
// the target can refuse; it stays logged in, and another goes on.
func testTurnedReadOnly(t *testing.T, b *bench) {
	grants := []target.Grant{grant(alice), grant(bob)}
	if b.OneAccess {
		grants = grants[:1]
	}
	e, _ := b.export(t, grants...)
	a := b.apply(t, e)
	s := b.login(t, with(a, e, grants[0]))
	b.works(t, s, 0, 1)
	var other Session
	if len(grants) > 1 {
		other = b.login(t, with(a, e, grants[1]))
	}
	before := b.sessions(t, e.IQN)
	for round := range byte(2) {
		e.Grants = slices.Clone(grants)
		e.Grants[0].ReadOnly = true
		b.apply(t, e)
		if s.Write(b.ctx, 0, mib, 0xff) == nil {
			t.Error("what was turned read-only could be written to")
		}
		b.holds(t, s, 0, 2*round+1)
		if other != nil {
			b.works(t, other, mib, 9)
		}
		e.Grants = grants
		b.apply(t, e)
		b.works(t, s, 0, 2*round+3)
	}
	b.same(t, e.IQN, before)
}

func testRevokeOne(t *testing.T, b *bench) {
	// The first and the one in the middle: targets that keep grants in a list
	// must not lose those behind it.
	const carol = "iqn.1993-08.org.debian:01:carol"
	for i := range 2 {
		all := []target.Grant{grant(alice), grant(bob), grant(carol)}
		e, _ := b.export(t, all...)
		a := b.apply(t, e)
		sessions := make([]Session, len(all))
		for j, g := range all {
			sessions[j] = b.login(t, with(a, e, g))
			b.works(t, sessions[j], int64(j)*mib, byte(j+1))
		}
		if n := len(b.sessions(t, e.IQN)); n != 3 {
			t.Fatalf("%d sessions, want 3", n)
		}
		left := e
		left.Grants = append(append([]target.Grant(nil), all[:i]...), all[i+1:]...)
		b.apply(t, left)
		now := b.sessions(t, e.IQN)
		if len(now) != 2 {
			t.Fatalf("sessions %q after one of three grants was taken away", now)
		}
		b.refused(t, with(a, e, all[i]), "a grant that was taken away")
		for j, g := range all {
			if j == i {
				continue
			}
			b.works(t, sessions[j], int64(j)*mib, byte(j+11))
			if l := with(a, e, g); !b.SharedSecrets {
				l.Username, l.Password = all[i].Username, all[i].Password
				b.refused(t, l, "a password that was taken away")
			}
		}
		b.same(t, e.IQN, now)
		for j, g := range all {
			if sessions[j].Logout(); j != i {
				b.login(t, with(a, e, g)).Logout()
			}
		}
	}
}

func testNewPassword(t *testing.T, b *bench) {
	e, _ := b.export(t, grant(alice))
	a := b.apply(t, e)
	old := with(a, e, e.Grants[0])
	e.Grants = []target.Grant{{Initiator: alice, Username: old.Username, Password: target.Secret(word(16))}}
	b.apply(t, e)
	b.refused(t, old, "the old password")
	b.login(t, with(a, e, e.Grants[0]))
}

func testNewUsername(t *testing.T, b *bench) {
	e, _ := b.export(t, grant(alice), grant(bob))
	a := b.apply(t, e)
	old := with(a, e, e.Grants[0])
	b.login(t, old)
	other := b.login(t, with(a, e, e.Grants[1]))
	e.Grants = []target.Grant{grant(alice), e.Grants[1]}
	b.apply(t, e)
	b.refused(t, old, "the old username")
	b.works(t, other, 0, 5)
	b.login(t, with(a, e, e.Grants[0]))
}

func testGrow(t *testing.T, b *bench) {
	e, d := b.export(t, grant(alice))
	a := b.apply(t, e)
	s := b.login(t, with(a, e, e.Grants[0]))
	b.works(t, s, 5*mib, 0x11)
	before := b.sessions(t, e.IQN)
	d.Grow(t, 128*mib)
	b.apply(t, e)
	b.sized(t, s, 128*mib)
	b.holds(t, s, 5*mib, 0x11)
	b.works(t, s, 100*mib, 0x22)
	b.same(t, e.IQN, before)
	if serial, err := s.Serial(b.ctx); err != nil || serial != e.Serial {
		t.Errorf("serial %q (%v) after growing, want %q", serial, err, e.Serial)
	}
}

// testGrowUnderLoad grows a device several times while its initiator writes
// without a pause: no write may fail, and all must be there afterwards.
func testGrowUnderLoad(t *testing.T, b *bench) {
	e, d := b.export(t, grant(alice))
	a := b.apply(t, e)
	s := b.login(t, with(a, e, e.Grants[0]))
	before := b.sessions(t, e.IQN)
	last := make([]byte, 32) // what each MiB was filled with last
	func() {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		defer wg.Wait()
		defer close(stop)
		wg.Go(func() { b.writeOn(t, s, last, stop) })
		for size := int64(72); size <= 104; size += 8 {
			d.Grow(t, size*mib)
			b.apply(t, e)
		}
	}()
	b.sized(t, s, 104*mib)
	for at, fill := range last {
		b.holds(t, s, int64(at)*mib, fill)
	}
	if !b.Reconnects {
		b.same(t, e.IQN, before)
	}
}

// writeOn writes MiB after MiB, round and round, at least once and until stop
// is closed, and notes in last what it wrote.
func (b *bench) writeOn(t *testing.T, s Session, last []byte, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			if i >= len(last) {
				return
			}
		default:
		}
		at := i % len(last)
		last[at] = byte(i%250 + 1)
		if err := s.Write(b.ctx, int64(at)*mib, mib, last[at]); err != nil {
			t.Errorf("write %d while the device grew: %v", i, err)
			return
		}
	}
}
