package carry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"clinker/internal/fault"
)

// trap makes one step fail: the nth from now, before it has an effect or after.
type trap struct {
	mu    sync.Mutex
	in    int // steps until it snaps; 0: never
	after bool
}

func (t *trap) step() (before, after bool) {
	if t == nil {
		return false, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.in == 0 {
		return false, false
	}
	t.in--
	snaps := t.in == 0
	return snaps && !t.after, snaps && t.after
}

func (t *trap) set(in int, after bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.in, t.after = in, after
}

// snapped tells whether it has; it is disarmed.
func (t *trap) snapped() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	still := t.in > 0
	t.in = 0
	return !still
}

var errCrash = errors.New("killed here")

// machine is a fake computer: a folder with /sys, /proc and /dev, and an
// initiator that shows and hides disks in it.
type machine struct {
	t       testing.TB
	root    string
	service *service
	trap    *trap
	name    string // of the initiator

	sizeGiB int    // of disks that appear, and after the next rescan
	serial  string // "" for the volume's id
	content string // of the disk when it appears
	dead    bool   // disks do not appear
	logins  int
	rescans int
	left    []string // portals of logouts without a session
}

func newMachine(t testing.TB, s *service) *machine {
	m := &machine{t: t, root: t.TempDir(), service: s, trap: s.trap, name: initiator, sizeGiB: 1}
	m.file("proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n")
	m.file("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n")
	m.file("etc/iscsi/initiatorname.iscsi", "## a comment\nInitiatorName="+initiator+"\n")
	return m
}

func (m *machine) host() *Host {
	return New(m.service.cloud(), m, Options{Root: m.root, Wait: 200 * time.Millisecond, Poll: time.Millisecond,
		Connector: map[string]any{"initiator": m.name, "host": "h"}})
}

func (m *machine) file(path, text string) {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) link(path, to string) {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) gone(path string) {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.root, path)); err != nil {
		m.t.Fatal(err)
	}
}

// show makes the session and, unless the machine is dead, its disk sda.
func (m *machine) show(c Connection) {
	m.file("sys/class/iscsi_session/session7/targetname", c.IQN+"\n")
	m.file("sys/class/iscsi_session/session7/username", c.Username+"\n")
	host, port, err := net.SplitHostPort(c.Portal)
	if err != nil {
		m.t.Fatal(err)
	}
	m.file("sys/class/iscsi_connection/connection7:0/persistent_address", host+"\n")
	m.file("sys/class/iscsi_connection/connection7:0/persistent_port", port+"\n")
	if m.dead {
		return
	}
	if err := os.MkdirAll(filepath.Join(m.root, "sys/class/iscsi_session/session7/device/target2:0:0/2:0:0:1/block/sda"), 0o755); err != nil {
		m.t.Fatal(err)
	}
	serial := m.serial
	if serial == "" {
		serial = volumeID
	}
	m.file("sys/class/block/sda/device/vpd_pg80", page80(serial))
	m.file("sys/class/block/sda/dev", "8:0\n")
	m.size()
	m.file("dev/sda", m.content)
}

func (m *machine) size() {
	m.file("sys/class/block/sda/size", strconv.Itoa(m.sizeGiB<<21)+"\n")
}

func page80(serial string) string {
	return fmt.Sprintf("\x00\x80\x00%c%s\x00", len(serial)+1, serial)
}

func (m *machine) hide() {
	if kept, err := os.ReadFile(filepath.Join(m.root, "dev/sda")); err == nil {
		m.content = string(kept)
	}
	m.gone("sys/class/iscsi_session/session7")
	m.gone("sys/class/iscsi_connection/connection7:0")
	m.gone("sys/class/block/sda")
	m.gone("dev/sda")
}

func (m *machine) loggedIn() bool {
	_, err := os.Stat(filepath.Join(m.root, "sys/class/iscsi_session/session7"))
	return err == nil
}

func (m *machine) Login(_ context.Context, c Connection) error {
	before, after := m.trap.step()
	if before {
		return errCrash
	}
	if !m.loggedIn() {
		if !m.service.grants(c, m.name) {
			return fault.New(fault.Unauthorized, "refused")
		}
		m.logins++
		m.show(c)
	}
	if after {
		return errCrash
	}
	return nil
}

func (m *machine) Logout(_ context.Context, iqn, portal string) error {
	before, after := m.trap.step()
	if before {
		return errCrash
	}
	if _, exists := (system{m.root}).sessionOf(iqn, portal); exists {
		m.hide()
	} else {
		m.left = append(m.left, portal)
	}
	if after {
		return errCrash
	}
	return nil
}

func (m *machine) Rescan(context.Context, string, string) error {
	if !m.loggedIn() {
		return fault.New(fault.NotFound, "no session")
	}
	m.rescans++
	m.size()
	return nil
}
