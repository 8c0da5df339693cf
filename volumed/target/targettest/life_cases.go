package targettest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"clinker/internal/fault"
	"clinker/volumed/target"
)

func testRemove(t *testing.T, b *bench) {
	e, d := b.export(t, grant(alice))
	a := b.apply(t, e)
	s := b.login(t, with(a, e, e.Grants[0]))
	b.works(t, s, 0, 1)
	b.remove(t, e.IQN)
	if now := b.sessions(t, e.IQN); len(now) != 0 {
		t.Errorf("sessions %q after Remove", now)
	}
	d.Release(t)
	b.refused(t, with(a, e, e.Grants[0]), "an export that was removed")
	if _, found := b.find(t, e.IQN); found {
		t.Error("List shows an export that was removed")
	}
}

func testRemoveAgain(t *testing.T, b *bench) {
	e, _ := b.export(t, grant(alice))
	b.remove(t, e.IQN) // never was there
	b.apply(t, e)
	b.remove(t, e.IQN)
	b.remove(t, e.IQN)
	a := b.apply(t, e)
	b.login(t, with(a, e, e.Grants[0]))
}

func testList(t *testing.T, b *bench) {
	e, _ := b.export(t, grant(alice), grant(bob))
	b.apply(t, e)
	for _, tg := range []target.Target{b.target, b.Open(t, b.Prefix)} {
		b.target = tg
		got, found := b.find(t, e.IQN)
		if !found {
			t.Fatal("List does not show the export")
		}
		b.alike(t, got, e)
	}
}

// alike compares an export as listed with the one applied: all but passwords.
func (b *bench) alike(t *testing.T, got, want target.Export) {
	t.Helper()
	if got.IQN != want.IQN || got.Device != want.Device || got.Serial != want.Serial || len(got.Grants) != len(want.Grants) {
		t.Errorf("listed %+v, want %+v", got, want)
		return
	}
	for _, g := range want.Grants {
		g.Password = ""
		if b.SharedSecrets {
			// Which username belongs to which initiator is not kept.
			initiator := func(o target.Grant) bool { return o.Initiator == g.Initiator && o.ReadOnly == g.ReadOnly }
			user := func(o target.Grant) bool { return o.Username == g.Username && o.Password == "" }
			if slices.ContainsFunc(got.Grants, initiator) && slices.ContainsFunc(got.Grants, user) {
				continue
			}
		}
		if !slices.Contains(got.Grants, g) {
			t.Errorf("listed %+v, want %+v among them", got.Grants, g)
		}
	}
}

func testBadInput(t *testing.T, b *bench) {
	e, _ := b.export(t, grant(alice))
	bad := e
	bad.Grants = []target.Grant{grant("iqn.1993-08.org.debian/../x")}
	if _, err := b.target.Apply(b.ctx, bad); !fault.Is(err, fault.Invalid) {
		t.Errorf("a bad initiator: %v, want Invalid", err)
	}
	bad = e
	bad.Device += "-missing"
	if _, err := b.target.Apply(b.ctx, bad); !fault.Is(err, fault.NotFound) {
		t.Errorf("a missing device: %v, want NotFound", err)
	}
	if _, found := b.find(t, e.IQN); found {
		t.Error("bad input left an export")
	}
	if err := b.target.Remove(b.ctx, "../x"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a bad IQN: %v, want Invalid", err)
	}
}

// testPrefix has two Targets on one kernel or daemon, each with IQNs of its
// own: neither sees nor touches the other's.
func testPrefix(t *testing.T, b *bench) {
	other := newBench(t, b.Suite)
	other.Prefix = "iqn.2001-04.com.example:"
	other.target = b.Open(t, other.Prefix)
	mine, _ := b.export(t, grant(alice))
	theirs, _ := other.export(t, grant(alice))
	b.apply(t, mine)
	a := other.apply(t, theirs)
	s := b.login(t, with(a, theirs, theirs.Grants[0]))
	before := b.sessions(t, theirs.IQN)
	if _, found := b.find(t, theirs.IQN); found {
		t.Error("List shows an export with another prefix")
	}
	if err := b.target.Remove(b.ctx, theirs.IQN); !fault.Is(err, fault.Invalid) {
		t.Errorf("Remove with another prefix: %v, want Invalid", err)
	}
	b.remove(t, mine.IQN)
	b.works(t, s, 0, 9)
	b.same(t, theirs.IQN, before)
	got, _ := other.find(t, theirs.IQN)
	other.alike(t, got, theirs)
}

func testInterrupted(t *testing.T, b *bench) {
	for _, i := range b.Interruptions {
		t.Run(i.Name+"/Apply", func(t *testing.T) {
			b := newBench(t, b.Suite)
			e, _ := b.export(t, grant(alice), grant(bob))
			i.Make(t, e)
			a := b.apply(t, e)
			s := b.login(t, with(a, e, e.Grants[1]))
			b.works(t, s, 0, 1)
			if serial, err := s.Serial(b.ctx); err != nil || serial != e.Serial {
				t.Errorf("serial %q (%v), want %q", serial, err, e.Serial)
			}
			got, _ := b.find(t, e.IQN)
			b.alike(t, got, e)
			l := with(a, e, e.Grants[0])
			l.Username, l.Password = "", ""
			b.refused(t, l, "no password")
		})
		t.Run(i.Name+"/Remove", func(t *testing.T) {
			b := newBench(t, b.Suite)
			e, d := b.export(t, grant(alice), grant(bob))
			i.Make(t, e)
			b.remove(t, e.IQN)
			d.Release(t)
			if _, found := b.find(t, e.IQN); found {
				t.Error("List still shows it")
			}
		})
	}
}

func testManyAtOnce(t *testing.T, b *bench) {
	const many = 20
	if b.Cheap != nil {
		b.Device = b.Cheap
	}
	all, at := make([]target.Export, many), make([]target.Address, many)
	var wg sync.WaitGroup
	for i := range all {
		all[i], _ = b.export(t, grant(fmt.Sprintf("%s%d", alice, i)))
		wg.Go(func() {
			var err error
			if at[i], err = b.target.Apply(b.ctx, all[i]); err != nil {
				t.Errorf("Apply %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for i, e := range all {
		if got, found := b.find(t, e.IQN); !found {
			t.Errorf("export %d is not there", i)
		} else {
			b.alike(t, got, e)
		}
	}
	for _, i := range []int{0, many / 2, many - 1} {
		b.works(t, b.login(t, with(at[i], all[i], all[i].Grants[0])), 0, byte(i+1))
	}
	for i := range all {
		wg.Go(func() {
			if err := b.target.Remove(b.ctx, all[i].IQN); err != nil {
				t.Errorf("Remove %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	for i, e := range all {
		if _, found := b.find(t, e.IQN); found {
			t.Errorf("export %d is still there", i)
		}
	}
}
