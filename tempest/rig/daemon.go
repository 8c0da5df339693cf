package rig

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Daemon runs a program that is not ours, with its output in dir/name.log, until
// the test ends: then it is asked to end (SIGINT), and killed after 20 s.
func Daemon(t testing.TB, dir, name string, environment []string, args ...string) *Process {
	t.Helper()
	p, err := start(filepath.Join(dir, name+".log"), syscall.SIGINT, environment, args...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() { _ = p.Interrupt(20 * time.Second) })
	return p
}
