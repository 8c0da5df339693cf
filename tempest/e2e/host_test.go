package e2e

import (
	"context"
	"testing"
	"time"

	"clinker/tempest/rig"
	"clinker/volumed/target/targettest"
)

func TestMain(m *testing.M) { rig.Main(m) }

// dead checks that a session can write no more.
func dead(t *testing.T, s targettest.Session) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := s.Write(ctx, 0, 4096, 0xee); err == nil {
		t.Error("a session goes on after its attachment was deleted")
	}
}

// session is a login with checks that end the test.
type session struct {
	t *testing.T
	targettest.Session
}

func (s session) writes(offset, n int64, fill byte) {
	s.t.Helper()
	if err := s.Write(s.t.Context(), offset, n, fill); err != nil {
		s.t.Fatal(err)
	}
}

func (s session) reads(offset, n int64, fill byte) {
	s.t.Helper()
	if err := s.Verify(s.t.Context(), offset, n, fill); err != nil {
		s.t.Fatalf("%d bytes at %d: %v", n, offset, err)
	}
}
