package carry

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDetachWaitsForUdev: what opens a disk for an instant, as udev does when a file
// system was unmounted, does not keep it.
func TestDetachWaitsForUdev(t *testing.T) {
	t.Parallel()
	m := newMachine(t, newService(t, nil))
	if _, err := m.host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	m.link("proc/99999999/fd/5", "/dev/sda")
	comm := filepath.Join(m.root, "proc/99999999/comm")
	if err := unix.Mkfifo(comm, 0o600); err != nil {
		t.Fatal(err)
	}
	seen := make(chan error, 1)
	go func() {
		f, err := os.OpenFile(comm, os.O_WRONLY, 0) // when its name is asked for it has been seen
		if err == nil {
			m.gone("proc/99999999/fd/5")
			err = f.Close()
		}
		seen <- err
	}()
	if err := m.host().Detach(t.Context(), volumeID); err != nil {
		t.Error(err)
	}
	if err := <-seen; err != nil {
		t.Error(err)
	}
}
