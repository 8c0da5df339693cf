package targettest

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// FileDevice makes a sparse file to export. Its Release fails when the process
// with id holder() still has it open; with a nil holder it checks nothing.
func FileDevice(holder func() int) func(t *testing.T, size int64) Device {
	return func(t *testing.T, size int64) Device {
		t.Helper()
		path := filepath.Join(t.TempDir(), "volume")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		grow := func(t *testing.T, size int64) {
			t.Helper()
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
		}
		grow(t, size)
		return Device{Path: path, Grow: grow, Release: func(t *testing.T) {
			t.Helper()
			if holder == nil {
				return
			}
			links, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(holder()), "fd", "*"))
			for _, l := range links {
				if to, err := os.Readlink(l); err == nil && to == path {
					t.Errorf("%s is still open", path)
				}
			}
		}}
	}
}
