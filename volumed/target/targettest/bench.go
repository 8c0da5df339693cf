package targettest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"clinker/volumed/target"
)

const mib = 1 << 20

// The two machines that log in.
const (
	alice = "iqn.1993-08.org.debian:01:alice"
	bob   = "iqn.1993-08.org.debian:01:bob"
)

// bench is one case at work: a target, a context, and the checks that the
// cases have in common.
type bench struct {
	Suite
	target target.Target
	ctx    context.Context
}

func newBench(t *testing.T, s Suite) *bench {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return &bench{Suite: s, target: s.Open(t, s.Prefix), ctx: ctx}
}

func word(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// grant makes a grant with a username and password of its own.
func grant(initiator string) target.Grant {
	return target.Grant{Initiator: initiator, Username: "u" + word(8), Password: target.Secret(word(16))}
}

// export describes a new volume of 64 MiB; nothing is exported yet. It is
// removed after the test.
func (b *bench) export(t *testing.T, grants ...target.Grant) (target.Export, Device) {
	t.Helper()
	d := b.Device(t, 64*mib)
	id := word(4) + "-" + word(2) + "-" + word(2) + "-" + word(2) + "-" + word(6)
	e := target.Export{IQN: b.Prefix + "volume-" + id, Device: d.Path, Serial: id, Grants: grants}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := b.target.Remove(ctx, e.IQN); err != nil {
			t.Errorf("removing the export after the test: %v", err)
		}
	})
	return e, d
}

func (b *bench) apply(t *testing.T, e target.Export) target.Address {
	t.Helper()
	began := time.Now()
	a, err := b.target.Apply(b.ctx, e)
	t.Logf("Apply: %v", time.Since(began))
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	if len(a.Portals) == 0 {
		t.Fatal("Apply gave no portal")
	}
	return a
}

func (b *bench) remove(t *testing.T, iqn string) {
	t.Helper()
	began := time.Now()
	err := b.target.Remove(b.ctx, iqn)
	t.Logf("Remove: %v", time.Since(began))
	if err != nil {
		t.Fatalf("Remove: %v", err)
	}
}

func with(a target.Address, e target.Export, g target.Grant) Login {
	return Login{Address: a, IQN: e.IQN, Name: g.Initiator, Username: g.Username, Password: g.Password, ReadOnly: g.ReadOnly}
}

// login must succeed.
func (b *bench) login(t *testing.T, l Login) Session {
	t.Helper()
	began := time.Now()
	s, err := b.Initiator.Login(b.ctx, l)
	t.Logf("login: %v", time.Since(began))
	if err != nil {
		t.Fatalf("login as %s: %v", l.Name, err)
	}
	t.Cleanup(s.Logout)
	return s
}

// refused must not succeed.
func (b *bench) refused(t *testing.T, l Login, why string) {
	t.Helper()
	began := time.Now()
	s, err := b.Initiator.Login(b.ctx, l)
	t.Logf("refused login: %v", time.Since(began))
	if err == nil {
		s.Logout()
		t.Fatalf("logged in with %s", why)
	}
	if !errors.Is(err, ErrRefused) {
		t.Fatalf("login with %s: %v, want a refusal", why, err)
	}
}

// sessions gives who is logged in, sorted.
func (b *bench) sessions(t *testing.T, iqn string) []string {
	t.Helper()
	s := b.Sessions(t, iqn)
	slices.Sort(s)
	return s
}

// same must find the sessions that there were before.
func (b *bench) same(t *testing.T, iqn string, before []string) {
	t.Helper()
	if now := b.sessions(t, iqn); !slices.Equal(now, before) {
		t.Fatalf("sessions were %q and are %q", before, now)
	}
}

// works writes through a session and reads it back.
func (b *bench) works(t *testing.T, s Session, off int64, fill byte) {
	t.Helper()
	if err := s.Write(b.ctx, off, mib, fill); err != nil {
		t.Fatalf("write: %v", err)
	}
	b.holds(t, s, off, fill)
}

// holds reads what was written.
func (b *bench) holds(t *testing.T, s Session, off int64, fill byte) {
	t.Helper()
	if err := s.Verify(b.ctx, off, mib, fill); err != nil {
		t.Fatalf("read: %v", err)
	}
}

// sized must find the disk that large after a rescan.
func (b *bench) sized(t *testing.T, s Session, want int64) {
	t.Helper()
	if got, err := s.Size(b.ctx); err != nil || got != want {
		t.Fatalf("the initiator sees %d bytes (%v), want %d", got, err, want)
	}
}

// find gives the export of that IQN as listed.
func (b *bench) find(t *testing.T, iqn string) (target.Export, bool) {
	t.Helper()
	all, err := b.target.List(b.ctx)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	i := slices.IndexFunc(all, func(e target.Export) bool { return e.IQN == iqn })
	if i < 0 {
		return target.Export{}, false
	}
	return all[i], true
}
