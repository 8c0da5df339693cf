package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TakeLane waits for one of this machine's lanes, of which it has as many as
// processors, and gives what gives it back. An emulated machine needs a
// processor for itself: what runs without one may miss a deadline of the kernel's or of the
// protocol's. Lanes are locks on files (flock(2)), so that test processes share
// them, and one that dies gives its own back.
func TakeLane(t testing.TB) (free func()) {
	t.Helper()
	for {
		for n := range runtime.GOMAXPROCS(0) {
			if lane := lock(t, n); lane != nil {
				return func() { lane.Close() }
			}
		}
		select {
		case <-t.Context().Done():
			t.Fatal("no lane became free")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// lock gives nil when somebody has that lane.
func lock(t testing.TB, n int) *os.File {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("clinker-testbed-%d-lane%d", os.Getuid(), n))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	check(t, err)
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil
	}
	return f
}
