package rig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Process is a program that runs in the background.
type Process struct {
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended
}

// launcher is the thread that starts all processes. The kernel ends a child
// with the *thread* that started it, so that this one must live as long as we do.
var launcher = func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
}()

// start runs a program with its output in a file. It is told to end with death
// when this process dies.
func start(log string, death syscall.Signal, environment []string, args ...string) (*Process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &Process{command: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	p.command.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/"}, environment...)
	p.command.Dir = "/"
	p.command.Stdout, p.command.Stderr = file, file
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: death}
	done := make(chan error)
	launcher <- func() { done <- p.command.Start() }
	if err := <-done; err != nil {
		return nil, err
	}
	go func() { _ = p.command.Wait(); close(p.ended) }()
	return p, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// ExitStatus is that of a process that has ended; -1 after a signal.
func (p *Process) ExitStatus() int { return p.command.ProcessState.ExitCode() }

// Kill ends the process without notice (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// Interrupt asks the process to end (SIGINT) and waits; one that has not ended
// within the limit is killed, and that is an error.
func (p *Process) Interrupt(limit time.Duration) error {
	_ = p.command.Process.Signal(syscall.SIGINT)
	select {
	case <-p.ended:
		return nil
	case <-time.After(limit):
		p.Kill()
		return fmt.Errorf("the process did not end within %s of SIGINT", limit)
	}
}

// Tail gives the last lines of a file, for messages.
func Tail(path string, lines int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(bytes.TrimSpace(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Eventually repeats a check until it says nothing, and fails the test with the
// last thing it said when the limit has passed.
func Eventually(t testing.TB, limit time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %v", limit, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// nothing is an error that names what is left.
func nothing(left []string) error {
	if len(left) > 0 {
		return fmt.Errorf("still there: %s", strings.Join(left, "; "))
	}
	return nil
}
