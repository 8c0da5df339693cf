package postgres

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/fault"
)

// TestKeepsDataAcrossStarts also covers the end: what was started is gone.
func TestKeepsDataAcrossStarts(t *testing.T) {
	t.Parallel()
	o := options(t)
	for round := range 2 {
		s, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.EnsureDatabase(t.Context(), "kept"); err != nil {
				t.Fatal(err)
			}
		}
		exists := s.Exec(t.Context(), "CREATE DATABASE kept") != nil
		if !exists {
			t.Errorf("round %d: the database is not there", round)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-s.Exited():
		default:
			t.Error("the server is still there")
		}
	}
}

// TestInterruptedStart ends the first start in the middle of initdb, when what it
// makes looks like a cluster.
func TestInterruptedStart(t *testing.T) {
	t.Parallel()
	o := options(t)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if made, _ := filepath.Glob(o.Directory + "*/PG_VERSION"); len(made) > 0 {
				interrupt()
			}
		}
	}()
	s, err := Start(ctx, o)
	if err == nil {
		t.Fatal("it was not interrupted", s.Stop())
	}
	if left, _ := filepath.Glob(o.Directory + "*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if s, err = Start(t.Context(), o); err != nil {
		t.Fatal("the next start:", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// TestDirectoryThatItsUserCannotReach: root's home, say. Only root runs it as another.
func TestDirectoryThatItsUserCannotReach(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("the server runs as the one who starts it")
	}
	o := options(t)
	private := filepath.Dir(o.Directory)
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Directory = filepath.Join(private, "below", "data")
	if err := os.Mkdir(filepath.Dir(o.Directory), 0o755); err != nil {
		t.Fatal(err)
	}
	if s, err := Start(t.Context(), o); !fault.Is(err, fault.Forbidden) || !strings.Contains(err.Error(), "chmod o+x "+private) {
		t.Errorf("started %v, and said: %v", s != nil, err)
	}
}

// options are for a server in a directory of its own, which goes with the test.
func options(t *testing.T) Options {
	t.Helper()
	dir, err := os.MkdirTemp("", "clinker-postgres-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return Options{Directory: filepath.Join(dir, "data"), LogFile: filepath.Join(dir, "log"), Volatile: true}
}
