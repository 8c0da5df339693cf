package rig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Dev is a `clinker dev` on a directory and ports of its own.
type Dev struct {
	Data     string
	Endpoint string // of the API, with /v3
	Process  *Process

	// Port, IdentityPort and TargetPort are those of the API, the identity and
	// the first storage node.
	Port, IdentityPort, TargetPort int

	log  string
	args []string
}

// readyWord is in what dev prints when all its parts run.
const readyWord = "Clinker is running"

// NewDev prepares a `clinker dev` with further arguments; it is not started yet.
// If it runs when the test ends, it is ended.
func NewDev(t testing.TB, args ...string) *Dev {
	t.Helper()
	dir := Directory(t)
	d := &Dev{Data: filepath.Join(dir, "data"), log: filepath.Join(dir, "dev.log"),
		Port: Ports(t, 1), IdentityPort: Ports(t, 1), TargetPort: Ports(t, 8)}
	d.Endpoint = fmt.Sprintf("http://127.0.0.1:%d/v3", d.Port)
	d.args = append([]string{Binary(t), "dev", "--data", d.Data, "--port", strconv.Itoa(d.Port),
		"--identity-port", strconv.Itoa(d.IdentityPort), "--target-port", strconv.Itoa(d.TargetPort), "--target-helper", "tgt"}, args...)
	t.Cleanup(func() {
		if d.Process != nil {
			_ = d.Process.Interrupt(30 * time.Second)
			d.sweep()
		}
		showLogs(t, dir)
		showLogs(t, d.Data)
	})
	return d
}

// StartDev is NewDev and Start.
func StartDev(t testing.TB, args ...string) *Dev {
	t.Helper()
	d := NewDev(t, args...)
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	return d
}

// Under has dev run by a shell, as root, in mounts of its own, after the shell's
// script has changed them: what is missing on a machine can be hidden there. The
// data directory is $DATA.
func (d *Dev) Under(t testing.TB, script string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount")
	}
	d.args = append([]string{"unshare", "--mount", "sh", "-ec", "DATA=" + d.Data + "\n" + script + "\nexec \"$@\"", "sh"}, d.args...)
}

// Add gives dev further arguments, over those it has.
func (d *Dev) Add(args ...string) { d.args = append(d.args, args...) }

// Start runs dev and returns when it says that it is ready; the error has what
// it said when it ended instead.
func (d *Dev) Start() error {
	if err := os.Truncate(d.log, 0); err != nil && !os.IsNotExist(err) {
		return err
	}
	var err error
	if d.Process, err = start(d.log, syscall.SIGINT, nil, d.args...); err != nil {
		return err
	}
	limit := time.After(60 * time.Second)
	for !strings.Contains(d.Said(), readyWord) {
		select {
		case <-d.Process.Ended():
			return fmt.Errorf("clinker dev ended with exit status %d: %s", d.Process.ExitStatus(), d.Said())
		case <-limit:
			return fmt.Errorf("clinker dev is not ready after 60 s: %s", d.Said())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// Stop ends dev as Ctrl-C does.
func (d *Dev) Stop() error { return d.Process.Interrupt(30 * time.Second) }

// Said is what the present dev printed.
func (d *Dev) Said() string {
	data, _ := os.ReadFile(d.log)
	return string(data)
}

// Openrc gives the environment that the openrc of a user (admin, demo) sets.
func (d *Dev) Openrc(t testing.TB, user string) []string {
	t.Helper()
	file := filepath.Join(d.Data, user+"-openrc")
	shell := exec.CommandContext(t.Context(), "sh", "-ec", `. "$0"; env`, file)
	shell.Env = []string{"PATH=/usr/bin:/bin"}
	said, err := shell.Output()
	if err != nil {
		t.Fatalf("source %s: %v", file, err)
	}
	var environment []string
	for line := range strings.Lines(string(said)) {
		if strings.HasPrefix(line, "OS_") {
			environment = append(environment, strings.TrimSpace(line))
		}
	}
	return environment
}

// sweep ends what a dev that was killed left: its iSCSI daemons.
func (d *Dev) sweep() {
	for _, p := range d.Left() {
		if pid, err := strconv.Atoi(strings.Fields(p)[0]); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// Left lists the processes on this machine that name the data directory on their
// command line or in their environment: none once dev has ended.
func (d *Dev) Left() []string {
	var left []string
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		for _, file := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(filepath.Join(p, file))
			if err == nil && bytes.Contains(data, []byte(d.Data)) {
				line, _ := os.ReadFile(filepath.Join(p, "cmdline"))
				left = append(left, filepath.Base(p)+" "+strings.ReplaceAll(string(line), "\x00", " "))
				break
			}
		}
	}
	return left
}

// Share puts a dev that has not started on the directory of another.
func (d *Dev) Share(other *Dev) {
	for i, arg := range d.args {
		if arg == d.Data {
			d.args[i] = other.Data
		}
	}
	d.Data = other.Data
}
