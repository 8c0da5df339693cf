package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// maxOutput bounds what is kept of each of a program's two streams, in bytes.
const maxOutput = 8 << 20

// environment is all that a program inherits.
var environment = []string{
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C",
	"HOME=/",
}

// Command is one start of an external program.
type Command struct {
	Args  []string // program and arguments; no secrets
	Input []byte   // standard input; may hold secrets
	Env   []string // added to the clean environment, as KEY=value

	// Secret is what the program reads from the file SecretFile, which is in memory
	// alone: for a second secret besides Input.
	Secret []byte

	// EndsWithUs has the kernel kill the program when this process dies, for one
	// whose work would be done in vain. It must not be one that LVM needs.
	EndsWithUs bool

	// Beside runs while the program does, nil for nothing. Its context ends when the
	// program has; pid leads the program's process group, and is nobody else's
	// until Beside returns.
	Beside func(ctx context.Context, pid int)
}

// SecretFile is the path under which a program finds a Command's Secret.
const SecretFile = "/proc/self/fd/3"

// ExitError is a program that ran and said no.
type ExitError struct {
	Program string
	Status  int
	Stderr  string // the last lines, trimmed
}

// Error names the program, its exit status and what it printed last.
func (e *ExitError) Error() string {
	return fmt.Sprintf("%s: exit status %d: %s", e.Program, e.Status, e.Stderr)
}

// Output runs a program to its end and returns its standard output. A program
// that exits with another status than 0 gives an *ExitError; one that is not
// installed gives Unavailable; one that outlives ctx is killed with its
// children and gives Timeout, and what it did is unknown.
func Output(ctx context.Context, args ...string) ([]byte, error) {
	return Command{Args: args}.Output(ctx)
}

// Output is the package's Output, with input and environment.
func (c Command) Output(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Env = append(append([]string(nil), environment...), c.Env...)
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(c.Input)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.EndsWithUs {
		// The kernel's signal comes when the thread ends that started the program.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	// LVM blocks SIGTERM while devices are suspended, so that this cannot leave
	// one hanging; SIGKILL could, and comes only if the program will not go.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if c.Secret != nil {
		secret, err := inMemory(c.Secret)
		if err != nil {
			return nil, err
		}
		defer secret.Close()
		cmd.ExtraFiles = []*os.File{secret}
	}
	var stdout, stderr limited
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := c.run(ctx, cmd); err != nil {
		return stdout.kept.Bytes(), c.explain(ctx, err, stderr.kept.String())
	}
	return stdout.kept.Bytes(), nil
}

// inMemory gives a file that is on no disk.
func inMemory(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("secret", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "secret")
	if _, err := f.WriteAt(content, 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (c Command) explain(ctx context.Context, err error, stderr string) error {
	if ctx.Err() != nil {
		return fault.Wrap(ctx.Err(), fault.Timeout, "%s did not finish in time", c.Args[0])
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &ExitError{Program: c.Args[0], Status: exit.ExitCode(), Stderr: lastLines(stderr)}
	}
	if errors.Is(err, exec.ErrNotFound) {
		return fault.Wrap(err, fault.Unavailable, "the program %s is not installed%s", c.Args[0], remedy(c.Args[0]))
	}
	return fmt.Errorf("%s: %w", c.Args[0], err)
}

// lastLines keeps the end of an error text: programs say the reason last.
func lastLines(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1000 {
		s = s[len(s)-1000:]
	}
	return strings.ReplaceAll(s, "\n", "; ")
}

// limited keeps the first maxOutput bytes and swallows the rest. The buffer is
// not embedded: its ReadFrom would go past Write.
type limited struct{ kept bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := maxOutput - l.kept.Len(); room > 0 {
		l.kept.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
