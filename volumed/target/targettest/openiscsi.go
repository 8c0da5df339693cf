package targettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"clinker/internal/direct"
	"clinker/internal/run"
	"clinker/testbed/guest"
)

// OpenISCSI is an Initiator made of this machine's kernel and open-iscsi, for
// the testbed's guest, where iscsid runs. Every session has an interface record of
// its own, which is how one machine logs in under several names.
type OpenISCSI struct{}

// NewOpenISCSI skips the test outside the guest.
func NewOpenISCSI(t *testing.T) OpenISCSI {
	t.Helper()
	guest.Require(t)
	return OpenISCSI{}
}

// Login makes a record, logs in and finds the disk.
func (OpenISCSI) Login(ctx context.Context, l Login) (Session, error) {
	host, port, err := net.SplitHostPort(l.Address.Portals[0])
	if err != nil {
		return nil, err
	}
	s := &kernelSession{login: l, iface: "t" + word(6)}
	s.node = []string{"iscsiadm", "-m", "node", "-T", l.IQN, "-p", net.JoinHostPort(host, port) + ",1", "-I", s.iface}
	record := fmt.Sprintf("iface.iscsi_ifacename = %s\niface.transport_name = tcp\niface.initiatorname = %s\n", s.iface, l.Name)
	err = errors.Join(os.MkdirAll("/etc/iscsi/ifaces", 0o700), os.WriteFile(s.record(), []byte(record), 0o600))
	if err != nil {
		return nil, err
	}
	if err := s.logIn(ctx); err != nil {
		s.Logout()
		return nil, judgeOpenISCSI(err)
	}
	return s, nil
}

// judgeOpenISCSI knows iscsiadm's exit status: 24 is a refused login, 19 one that
// RFC 3720 calls final; 4 nobody who listens, as when the last target of a portal
// is gone; 8 is what iscsid makes of a target that does not exist, after its
// login timeout, and 11 what tgtd brings about, which hangs up when it has no target.
func judgeOpenISCSI(err error) error {
	var exit *run.ExitError
	if errors.As(err, &exit) && (slices.Contains([]int{4, 8, 11, 19, 24}, exit.Status)) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// kernelSession is a session of open-iscsi's.
type kernelSession struct {
	login Login
	iface string
	node  []string // iscsiadm's arguments that name it
	sid   string   // "session3"
	disk  string   // "sda"
	ended bool
}

func (s *kernelSession) record() string { return filepath.Join("/etc/iscsi/ifaces", s.iface) }

func (s *kernelSession) do(ctx context.Context, args ...string) error {
	_, err := run.Output(ctx, append(append([]string(nil), s.node...), args...)...)
	return err
}

func (s *kernelSession) logIn(ctx context.Context) error {
	if err := s.do(ctx, "-o", "new"); err != nil {
		return err
	}
	settings := map[string]string{
		"node.session.initial_login_retry_max":   "1",
		"node.conn[0].timeo.login_timeout":       "5",
		"node.session.timeo.replacement_timeout": "60",
		"node.conn[0].timeo.noop_out_interval":   "0",
	}
	if s.login.Username != "" {
		settings["node.session.auth.authmethod"] = "CHAP"
		settings["node.session.auth.username"] = s.login.Username
		settings["node.session.auth.password"] = string(s.login.Password)
	}
	if err := s.configure(settings); err != nil {
		return err
	}
	if err := s.do(ctx, "--login"); err != nil {
		return err
	}
	return s.find(ctx)
}

// nodeRecords gives the files that iscsiadm made for the session.
func (s *kernelSession) nodeRecords() []string {
	files, _ := filepath.Glob(filepath.Join("/etc/iscsi/nodes", s.login.IQN, "*", s.iface))
	return files
}

// configure changes the record itself: iscsiadm would have to be started for
// each setting, and be given the password as an argument.
func (s *kernelSession) configure(settings map[string]string) error {
	files := s.nodeRecords()
	if len(files) != 1 {
		return fmt.Errorf("%d records of %s, want 1", len(files), s.iface)
	}
	old, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	var text strings.Builder
	for line := range strings.Lines(string(old)) {
		name, _, _ := strings.Cut(line, " = ")
		if _, ours := settings[name]; !ours {
			if strings.HasPrefix(line, "# END RECORD") {
				for name, value := range settings {
					fmt.Fprintf(&text, "%s = %s\n", name, value)
				}
			}
			text.WriteString(line)
		}
	}
	return os.WriteFile(files[0], []byte(text.String()), 0o600)
}

// find waits for the disk of the session with this interface.
func (s *kernelSession) find(ctx context.Context) error {
	for ctx.Err() == nil {
		names, _ := filepath.Glob("/sys/class/iscsi_session/session*/ifacename")
		for _, name := range names {
			if b, err := os.ReadFile(name); err != nil || strings.TrimSpace(string(b)) != s.iface {
				continue
			}
			s.sid = filepath.Base(filepath.Dir(name))
			disks, _ := filepath.Glob(fmt.Sprintf("/sys/class/iscsi_session/%s/device/target*/*:%d/block/sd*", s.sid, s.login.Address.LUN))
			if len(disks) != 1 {
				continue
			}
			s.disk = filepath.Base(disks[0])
			// The kernel shows the disk a little before it can be opened.
			if f, err := s.open(os.O_RDONLY); err == nil {
				return f.Close()
			}
		}
	}
	return fmt.Errorf("logged in, but no disk: %w", ctx.Err())
}

func (s *kernelSession) sys(attribute string) (string, error) {
	b, err := os.ReadFile(filepath.Join("/sys/block", s.disk, attribute))
	return strings.TrimSpace(string(b)), err
}

// Size rescans the session as an administrator does.
func (s *kernelSession) Size(ctx context.Context) (int64, error) {
	if err := s.do(ctx, "-R"); err != nil {
		return 0, err
	}
	text, err := s.sys("size")
	var sectors int64
	if _, err := fmt.Sscan(text, &sectors); err != nil {
		return 0, err
	}
	return sectors * 512, err
}

func (s *kernelSession) Serial(context.Context) (string, error) {
	page, err := os.ReadFile(filepath.Join("/sys/block", s.disk, "device/vpd_pg80"))
	if err != nil || len(page) < 4 {
		return "", fmt.Errorf("page 0x80 of %d bytes: %w", len(page), err)
	}
	return strings.Trim(string(page[4:]), " \x00"), nil
}

// open opens the disk past the page cache.
func (s *kernelSession) open(flag int) (*os.File, error) {
	return os.OpenFile("/dev/"+s.disk, flag|unix.O_DIRECT, 0)
}

// Write, in a session that is only for reading, bypasses the kernel's own
// refusal and sends the target a write.
func (s *kernelSession) Write(_ context.Context, off, n int64, fill byte) error {
	if s.login.ReadOnly {
		f, err := s.open(os.O_RDONLY)
		if err != nil {
			return err
		}
		defer f.Close()
		return scsiWrite(f, off/512, fill)
	}
	f, err := s.open(os.O_WRONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	buffer := direct.Buffer(int(n))
	copy(buffer, bytes.Repeat([]byte{fill}, int(n)))
	if _, err := f.WriteAt(buffer, off); err != nil {
		return err
	}
	return f.Sync()
}

func (s *kernelSession) Verify(_ context.Context, off, n int64, fill byte) error {
	f, err := s.open(os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	buffer := direct.Buffer(int(n))
	if _, err := f.ReadAt(buffer, off); err != nil {
		return err
	}
	for i, b := range buffer {
		if b != fill {
			return fmt.Errorf("byte %d is %#x, want %#x", off+int64(i), b, fill)
		}
	}
	return nil
}

// Logout ends the session and removes its records.
func (s *kernelSession) Logout() {
	if s.ended {
		return
	}
	s.ended = true
	ctx := context.Background()
	if s.sid != "" {
		s.do(ctx, "--logout")
	}
	for _, f := range append(s.nodeRecords(), s.record()) {
		os.Remove(f)
	}
}
