package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is one of those that are measured.
type process struct {
	name    string
	command *exec.Cmd
	ended   chan struct{}
	log     string
}

// start runs a program whose output goes to a log, until it is stopped or this
// process ends.
func start(name, log string, environment []string, program string, args ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &process{name: name, command: exec.Command(program, args...), ended: make(chan struct{}), log: log}
	p.command.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/"}, environment...)
	p.command.Stdout, p.command.Stderr = file, file
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { _ = p.command.Wait(); close(p.ended) }()
	return p, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop asks the process to end, and makes it after ten seconds.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// until repeats a check until it says nothing; it gives up when the process has
// ended or after 30 seconds.
func (p *process) until(ctx context.Context, check func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %s", p.name, tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %s", p.name, err, tail(p.log))
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func tail(path string) string {
	data, _ := os.ReadFile(path)
	return string(data[max(0, len(data)-600):])
}
