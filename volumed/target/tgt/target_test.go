package tgt

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"clinker/volumed/target"
	"clinker/volumed/target/targettest"
)

func login(e target.Export, a target.Address) targettest.Login {
	g := e.Grants[0]
	return targettest.Login{Address: a, IQN: e.IQN, Name: g.Initiator, Username: g.Username, Password: g.Password, ReadOnly: g.ReadOnly}
}

// TestListCutsStrangers: a session whose initiator has no grant, as a login
// half done at the wrong moment would leave, ends when targets are listed.
func TestListCutsStrangers(t *testing.T) {
	d, e := startDaemon(t), example(t, false)
	tg := New(Options{Socket: d.Socket(), Prefix: prefix})
	a, err := tg.Apply(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	s, err := initiator(t).Login(t.Context(), login(e, a))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Logout()
	if _, err := tg.List(t.Context()); err != nil || len(sessionsOf(t, d, e.IQN)) != 1 {
		t.Fatalf("a session with a grant was cut (%v)", err)
	}
	unruly := request{mode: modeTarget, op: opUnbind, target: targetID(e), params: "initiator-name=" + e.Grants[0].Initiator}
	if err := tg.control.do(t.Context(), unruly); err != nil {
		t.Fatal(err)
	}
	if _, err := tg.List(t.Context()); err != nil || len(sessionsOf(t, d, e.IQN)) != 0 {
		t.Errorf("a session without a grant goes on (%v)", err)
	}
}

func TestIPv6Portal(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	} else {
		l.Close()
	}
	d, err := Start(t.Context(), DaemonOptions{Dir: t.TempDir(), Portals: []string{"127.0.0.1:0", "[::1]:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Stop()
	e := example(t, false)
	a, err := New(Options{Socket: d.Socket(), Prefix: prefix}).Apply(t.Context(), e)
	if err != nil || len(a.Portals) != 2 {
		t.Fatalf("%v (%v)", a.Portals, err)
	}
	for _, p := range a.Portals {
		s, err := initiator(t).Login(t.Context(), login(e, target.Address{Portals: []string{p}, LUN: a.LUN}))
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		s.Logout()
	}
}

// BenchmarkApplyRemove is one export's life among many others.
func BenchmarkApplyRemove(b *testing.B) {
	d, err := Start(b.Context(), DaemonOptions{Dir: b.TempDir(), Portals: []string{"127.0.0.1:0"}})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Stop()
	tg := New(Options{Socket: d.Socket(), Prefix: prefix})
	device := filepath.Join(b.TempDir(), "volume")
	if err := os.WriteFile(device, make([]byte, 1<<20), 0o600); err != nil {
		b.Fatal(err)
	}
	export := func(i int) target.Export {
		name := fmt.Sprint("bench-", i)
		return target.Export{IQN: prefix + name, Serial: name, Device: device,
			Grants: []target.Grant{{Initiator: "iqn.2000-01.x:" + name, Username: name, Password: "0123456789abcdef"}}}
	}
	for i := range 200 {
		if _, err := tg.Apply(b.Context(), export(i)); err != nil {
			b.Fatal(err)
		}
	}
	for i := 1000; b.Loop(); i++ {
		if _, err := tg.Apply(b.Context(), export(i)); err != nil {
			b.Fatal(err)
		}
		if err := tg.Remove(b.Context(), export(i).IQN); err != nil {
			b.Fatal(err)
		}
	}
}
