package targettest

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

func testLogin(t *testing.T, b *bench) {
	e, d := b.export(t, grant(alice))
	a := b.apply(t, e)
	s := b.login(t, with(a, e, e.Grants[0]))
	b.sized(t, s, 64*mib)
	if serial, err := s.Serial(b.ctx); err != nil || serial != e.Serial {
		t.Errorf("serial %q (%v), want %q", serial, err, e.Serial)
	}
	b.works(t, s, 3*mib, 0xa5)
	s.Logout()
	f, err := os.Open(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make([]byte, mib)
	if _, err := f.ReadAt(got, 3*mib); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{0xa5}, mib)) {
		t.Errorf("what was written is not on the device (%v)", err)
	}
}

func testRefusals(t *testing.T, b *bench) {
	e, _ := b.export(t, grant(alice))
	a := b.apply(t, e)
	right := with(a, e, e.Grants[0])
	wrong := func(change func(*Login)) Login { l := right; change(&l); return l }
	b.refused(t, wrong(func(l *Login) { l.Password = target.Secret(word(16)) }), "a wrong password")
	b.refused(t, wrong(func(l *Login) { l.Username = "u" + word(8) }), "a wrong username")
	b.refused(t, wrong(func(l *Login) { l.Username, l.Password = "", "" }), "no password")
	b.refused(t, wrong(func(l *Login) { l.Name = bob }), "another initiator's name")
	b.refused(t, wrong(func(l *Login) { l.IQN += "x" }), "another target's name")
	b.login(t, right)
}

func testNoGrants(t *testing.T, b *bench) {
	e, _ := b.export(t)
	a := b.apply(t, e)
	l := Login{Address: a, IQN: e.IQN, Name: alice}
	b.refused(t, l, "no grant and no password")
	l.Username, l.Password = "u"+word(8), target.Secret(word(16))
	b.refused(t, l, "no grant and some password")
}

// testCapitals: hosts may have capitals in their names, and send them.
func testCapitals(t *testing.T, b *bench) {
	const name = "iqn.1993-08.org.debian:01:Alice-LAPTOP"
	e, _ := b.export(t, grant(name))
	a := b.apply(t, e)
	b.works(t, b.login(t, with(a, e, e.Grants[0])), 0, 7)
	list, err := b.target.List(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(l target.Export) bool { return l.IQN == e.IQN })
	if i < 0 || len(list[i].Grants) == 0 || !strings.EqualFold(list[i].Grants[0].Initiator, name) {
		t.Errorf("List shows %+v", list)
	}
	e.Grants = nil
	b.apply(t, e)
	b.refused(t, with(a, target.Export{IQN: e.IQN}, grant(name)), "a grant that was taken back")
}

func testTwoGrants(t *testing.T, b *bench) {
	e, _ := b.export(t, grant(alice), grant(bob))
	a := b.apply(t, e)
	one, two := with(a, e, e.Grants[0]), with(a, e, e.Grants[1])
	if !b.SharedSecrets {
		one.Username, one.Password, two.Username, two.Password = two.Username, two.Password, one.Username, one.Password
		b.refused(t, one, "the other initiator's password")
		b.refused(t, two, "the other initiator's password")
	}
	s1, s2 := b.login(t, with(a, e, e.Grants[0])), b.login(t, with(a, e, e.Grants[1]))
	b.works(t, s1, 0, 1)
	b.works(t, s2, mib, 2)
	b.holds(t, s1, 0, 1)
}

func testReadOnly(t *testing.T, b *bench) {
	g := grant(alice)
	g.ReadOnly = true
	e, d := b.export(t, g)
	a := b.apply(t, e)
	s := b.login(t, with(a, e, g))
	b.holds(t, s, 0, 0)
	l := with(a, e, g)
	l.ReadOnly = false
	s.Logout()
	if s, err := b.Initiator.Login(b.ctx, l); err == nil {
		defer s.Logout()
		if s.Write(b.ctx, 0, mib, 0xff) == nil {
			t.Error("a write through a read-only grant went well")
		}
	}
	head := make([]byte, 4096)
	if f, err := os.Open(d.Path); err == nil {
		f.Read(head)
		f.Close()
	}
	if !bytes.Equal(head, make([]byte, 4096)) {
		t.Error("a read-only grant let something be written")
	}
}

func testMixedAccess(t *testing.T, b *bench) {
	reader := grant(bob)
	reader.ReadOnly = true
	e, _ := b.export(t, grant(alice), reader)
	if b.OneAccess {
		if _, err := b.target.Apply(b.ctx, e); !fault.Is(err, fault.Unsupported) {
			t.Fatalf("got %v, want Unsupported", err)
		}
		return
	}
	a := b.apply(t, e)
	w, r := b.login(t, with(a, e, e.Grants[0])), b.login(t, with(a, e, reader))
	b.works(t, w, 0, 7)
	b.holds(t, r, 0, 7)
	if r.Write(b.ctx, 0, mib, 8) == nil {
		t.Error("the read-only initiator could write")
	}
	b.holds(t, w, 0, 7)
}
