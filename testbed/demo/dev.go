package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"clinker/testbed/ports"
)

// dev is a running `clinker dev`.
type dev struct {
	command *exec.Cmd
	ended   chan struct{}
	said    string // path of what it prints
	data    string
	target  int // the iSCSI port
}

// startLimit is far more than a start takes on a busy machine.
const startLimit = 90 * time.Second

// prepareDev chooses ports and gives the command line, which is not run yet.
func prepareDev(binary, dir string) (*dev, []string, error) {
	first, err := ports.Take(3)
	if err != nil {
		return nil, nil, err
	}
	d := &dev{data: filepath.Join(dir, "data"), said: filepath.Join(dir, "dev.log"), target: first + 2, ended: make(chan struct{})}
	args := []string{"dev", "--data", d.data, "--port", strconv.Itoa(first),
		"--identity-port", strconv.Itoa(first + 1), "--target-port", strconv.Itoa(d.target)}
	d.command = exec.Command(binary, args...)
	return d, args, nil
}

// start runs it and returns when it says that it is ready. It has a process
// group of its own, so that Ctrl-C reaches it only when its turn has come, and
// ends by itself should this process be killed.
func (d *dev) start(ctx context.Context) error {
	log, err := os.Create(d.said)
	if err != nil {
		return err
	}
	defer log.Close()
	d.command.Stdout, d.command.Stderr = log, log
	d.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	began := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ends a child with the thread that started it
		err := d.command.Start()
		began <- err
		if err == nil {
			_ = d.command.Wait()
			close(d.ended)
		}
	}()
	if err := <-began; err != nil {
		d.command = nil
		return err
	}
	return d.await(ctx)
}

func (d *dev) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		said, _ := os.ReadFile(d.said)
		if strings.Contains(string(said), "Clinker is running") {
			return nil
		}
		select {
		case <-d.ended:
			return fmt.Errorf("clinker dev ended:\n%s", said)
		case <-ctx.Done():
			return fmt.Errorf("clinker dev is not ready after %s:\n%s", startLimit, said)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends it as Ctrl-C does. It may be repeated.
func (d *dev) stop() error {
	if d == nil || d.command == nil || d.command.Process == nil {
		return nil
	}
	_ = d.command.Process.Signal(syscall.SIGINT)
	select {
	case <-d.ended:
	case <-time.After(30 * time.Second):
		_ = d.command.Process.Kill()
		<-d.ended
		return fmt.Errorf("clinker dev did not end within 30 s and was killed")
	}
	if status := d.command.ProcessState.ExitCode(); status != 0 {
		return fmt.Errorf("clinker dev ended with exit status %d", status)
	}
	d.command = nil
	return nil
}
