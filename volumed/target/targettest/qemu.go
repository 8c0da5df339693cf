package targettest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"clinker/internal/run"
)

// Qemu is an Initiator made of qemu-io, which keeps a session open as long as
// it runs, and of libiscsi's tools. It needs no privilege. (Packages qemu-utils,
// qemu-block-extra, libiscsi-bin.)
type Qemu struct {
	dir string // for files with passwords
}

// NewQemu fails the test when a program is missing.
func NewQemu(t *testing.T) *Qemu {
	t.Helper()
	for _, p := range []string{"qemu-io", "iscsi-inq"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%v: run make deps", err)
		}
	}
	return &Qemu{dir: t.TempDir()}
}

const prompt = "qemu-io> "

// Login starts a qemu-io.
func (q *Qemu) Login(ctx context.Context, l Login) (Session, error) {
	image := fmt.Sprintf("driver=iscsi,transport=tcp,portal=%s,target=%s,lun=%d,initiator-name=%s",
		l.Address.Portals[0], l.IQN, l.Address.LUN, l.Name)
	args := []string{"qemu-io"}
	if l.ReadOnly {
		args = append(args, "-r")
	}
	if l.Username != "" {
		secret := filepath.Join(q.dir, word(8))
		if err := os.WriteFile(secret, []byte(l.Password), 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--object", "secret,id=s,file="+secret)
		image += ",user=" + l.Username + ",password-secret=s"
	}
	s := &qemuSession{login: l, cmd: exec.Command(args[0], append(args[1:], "--image-opts", image)...)}
	said, err := s.start(ctx)
	if err != nil {
		s.Logout()
		return nil, judgeQemu(said, err)
	}
	return s, nil
}

// judgeQemu tells a login that the target refused from one that failed. The
// numbers are RFC 3720's login status: authentication and authorization failure,
// not found. A tgtd without any target just hangs up.
func judgeQemu(said string, err error) error {
	for _, status := range []string{"(513)", "(514)", "(515)", "iscsi_service_reconnect_if_loggedin"} {
		if strings.Contains(said, status) {
			return fmt.Errorf("%w: %s", ErrRefused, said)
		}
	}
	return fmt.Errorf("%w: %s", err, said)
}

// qemuSession is a running qemu-io, which reads commands and writes prompts.
type qemuSession struct {
	login Login
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	ended bool
}

func (s *qemuSession) start(ctx context.Context) (said string, err error) {
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return "", err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	s.cmd.Stdout, s.cmd.Stderr = write, write
	s.out = bufio.NewReader(read)
	err = s.cmd.Start()
	write.Close()
	if err != nil {
		return "", err
	}
	return s.answer(ctx)
}

// answer reads up to the next prompt. A qemu-io that does not get there before
// ctx ends is killed.
func (s *qemuSession) answer(ctx context.Context) (string, error) {
	stop := context.AfterFunc(ctx, func() { s.cmd.Process.Kill() })
	defer stop()
	var said bytes.Buffer
	for !bytes.HasSuffix(said.Bytes(), []byte(prompt)) {
		c, err := s.out.ReadByte()
		if err != nil {
			return strings.TrimSpace(said.String()), fmt.Errorf("qemu-io ended: %w", err)
		}
		said.WriteByte(c)
	}
	return strings.TrimSpace(strings.TrimSuffix(said.String(), prompt)), nil
}

func (s *qemuSession) command(ctx context.Context, format string, args ...any) (string, error) {
	if _, err := fmt.Fprintf(s.in, format+"\n", args...); err != nil {
		return "", err
	}
	said, err := s.answer(ctx)
	if err == nil && strings.Contains(strings.ToLower(said), "fail") {
		err = fmt.Errorf("qemu-io: %s", said)
	}
	return said, err
}

var sizeInBytes = regexp.MustCompile(`(?m)^([\d.]+) (bytes|KiB|MiB|GiB)$`)

// Size reads the capacity anew: truncating is how qemu does that with a disk it
// cannot resize, and changes nothing.
func (s *qemuSession) Size(ctx context.Context) (int64, error) {
	if said, err := s.command(ctx, "truncate 0"); err != nil || said != "" {
		return 0, fmt.Errorf("rescan: %s %w", said, err)
	}
	said, err := s.command(ctx, "length")
	m := sizeInBytes.FindStringSubmatch(said)
	if err != nil || m == nil {
		return 0, fmt.Errorf("length: %s %w", said, err)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	unit := map[string]float64{"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[m[2]]
	return int64(n * unit), err
}

// Serial asks with another session, of libiscsi's iscsi-inq.
func (s *qemuSession) Serial(ctx context.Context) (string, error) {
	url := fmt.Sprintf("iscsi://%s/%s/%d", s.login.Address.Portals[0], s.login.IQN, s.login.Address.LUN)
	out, err := run.Command{
		Args: []string{"iscsi-inq", "-i", s.login.Name, "-e", "1", "-c", "128", url},
		Env: []string{"LIBISCSI_CHAP_USERNAME=" + s.login.Username,
			"LIBISCSI_CHAP_PASSWORD=" + string(s.login.Password)},
	}.Output(ctx)
	_, serial, _ := strings.Cut(string(out), "Unit Serial Number:[")
	serial, _, _ = strings.Cut(serial, "]")
	return strings.TrimSpace(serial), err
}

func (s *qemuSession) Write(ctx context.Context, off, n int64, fill byte) error {
	if _, err := s.command(ctx, "write -P %d %d %d", fill, off, n); err != nil {
		return err
	}
	_, err := s.command(ctx, "flush")
	return err
}

func (s *qemuSession) Verify(ctx context.Context, off, n int64, fill byte) error {
	_, err := s.command(ctx, "read -P %d %d %d", fill, off, n)
	return err
}

// Logout asks qemu-io to leave, and kills it if it hangs in a lost session.
func (s *qemuSession) Logout() {
	if s.ended || s.cmd.Process == nil {
		return
	}
	s.ended = true
	fmt.Fprintln(s.in, "quit")
	s.in.Close()
	kill := time.AfterFunc(time.Second, func() { s.cmd.Process.Kill() })
	defer kill.Stop()
	s.cmd.Wait()
}
