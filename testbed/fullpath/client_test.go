package fullpath

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"clinker/tempest/rig"
	"clinker/testbed"
	"clinker/testbed/machine"
)

// client is a machine of the user's, with open-iscsi.
type client struct {
	*testbed.VM
	iqn string // its initiator's name
	env []string
}

func clientOptions(t *testing.T, name string, cable *machine.Cable) testbed.Options {
	return testbed.Options{
		Name: name, Storage: cable, MemoryMiB: 448, Disks: []testbed.Disk{},
		Files: map[string]string{"/usr/bin/clinker": rig.Binary(t)},
	}
}

func newClient(t *testing.T, c *cloud, vm *testbed.VM) *client {
	t.Helper()
	m := &client{VM: vm, iqn: "iqn.1993-08.org.debian:01:" + vm.Name(), env: c.guestEnv}
	m.StartInitiator(t, m.iqn)
	return m
}

// clinker runs the program in the machine.
func (m *client) clinker(t *testing.T, args ...string) string {
	t.Helper()
	began := time.Now()
	said, err := m.Output(t.Context(), testbed.Command{Args: append([]string{"clinker"}, args...), Env: m.env})
	if err != nil {
		t.Fatalf("guest %s: clinker %s: %v", m.Name(), strings.Join(args, " "), err)
	}
	t.Logf("guest %s: %.1f s: clinker %s", m.Name(), time.Since(began).Seconds(), strings.Join(args, " "))
	return strings.TrimSpace(string(said))
}

// attach gives the volume's device.
func (m *client) attach(t *testing.T, volume string) string {
	t.Helper()
	device := m.clinker(t, "attach", volume)
	if !strings.HasPrefix(device, "/dev/") {
		t.Fatalf("guest %s: clinker attach printed %q, no device", m.Name(), device)
	}
	return device
}

func (m *client) detach(t *testing.T, volume string) {
	t.Helper()
	m.clinker(t, "detach", volume)
}

// sessions lists the kernel's iSCSI sessions with their targets and states: the
// number grows with every new session.
func (m *client) sessions(t *testing.T) string {
	t.Helper()
	return m.Run(t, `for s in /sys/class/iscsi_session/session*; do
		[ ! -d $s ] || echo "${s##*/} $(cat $s/targetname) $(cat $s/state)"; done`)
}

// number runs a script that prints one.
func (m *client) number(t *testing.T, script string) (n int64) {
	t.Helper()
	said := m.Run(t, script)
	if _, err := fmt.Sscan(said, &n); err != nil {
		t.Fatalf("guest %s: %q is no number: %s", m.Name(), said, script)
	}
	return n
}

// event is what `clinker watch --json` tells.
type event struct {
	News      string `json:"news"`
	VolumeID  string `json:"volume_id"`
	SizeBytes int64  `json:"size_bytes"`
}

// watcher is a `clinker watch` in the background.
type watcher struct{ process *machine.Process }

func (m *client) watch(t *testing.T) watcher {
	t.Helper()
	p, err := m.Machine.Start(t.Context(), testbed.Command{Args: []string{"clinker", "watch", "--json"}, Env: m.env})
	check(t, err)
	return watcher{p}
}

// hears waits until the watcher has told of it.
func (w watcher) hears(t *testing.T, want event) {
	t.Helper()
	rig.Eventually(t, time.Minute, func() error {
		said, err := w.process.Log(t.Context())
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(said)) {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil && e == want {
				return nil
			}
		}
		time.Sleep(200 * time.Millisecond) // the guest has other work
		return fmt.Errorf("clinker watch has not told of %+v; it said:\n%s", want, said)
	})
}

func (w watcher) end(t *testing.T) {
	t.Helper()
	check(t, w.process.Signal(t.Context(), syscall.SIGINT))
	status, err := w.process.Wait(t.Context())
	check(t, err)
	if status != 0 {
		t.Errorf("clinker watch ended with status %d", status)
	}
}
