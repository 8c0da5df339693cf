package postgres

import (
	"os"
	"path/filepath"
	"testing"
)

// TestKeepsDataAcrossStarts also covers the end: what was started is gone.
func TestKeepsDataAcrossStarts(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "clinker-postgres-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o := Options{Directory: filepath.Join(dir, "data"), LogFile: filepath.Join(dir, "log"), Volatile: true}
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
