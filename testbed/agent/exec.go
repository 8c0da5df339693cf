package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"clinker/testbed/wire"
)

// exec runs a program to its end and streams what it writes. When the host goes
// away, the program is killed with its children.
func (a *agent) exec(w http.ResponseWriter, r *http.Request) {
	cmd, err := command(r)
	if err != nil {
		refuse(w, err)
		return
	}
	events := &stream{encoder: json.NewEncoder(w), flush: w.(http.Flusher).Flush}
	cmd.Stdout = writer(func(p []byte) error { return events.send(wire.Event{Stdout: p}) })
	cmd.Stderr = writer(func(p []byte) error { return events.send(wire.Event{Stderr: p}) })
	if err := cmd.Start(); err != nil {
		_ = events.send(wire.Event{Error: err.Error()})
		return
	}
	ended := make(chan struct{})
	go func() {
		<-r.Context().Done() // the host has gone, or this request is over
		select {
		case <-ended:
		default:
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}()
	end := ending(cmd.Wait())
	// Before the host hears of it: a daemon that the program has left behind may
	// still be in its process group, and is not to be killed when the host goes.
	close(ended)
	_ = events.send(end)
}

// command reads a request into a program that has a process group of its own.
func command(r *http.Request) (*exec.Cmd, error) {
	// Read to the end: only then does the server notice that the host is gone.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var c wire.Command
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	if len(c.Args) == 0 {
		return nil, errors.New("no program named")
	}
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env = append(cmd.Environ(), c.Env...)
	cmd.Dir = c.Dir
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	cmd.Stdin = bytes.NewReader(c.Input)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A daemon that the program left behind may hold its output open for ever.
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// ending turns the result of Wait into the last event.
func ending(err error) wire.Event {
	status := 0
	var exited *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
	case errors.As(err, &exited):
		status = exited.ExitCode()
		if ws, ok := exited.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			status = 128 + int(ws.Signal())
		}
	default:
		return wire.Event{Error: err.Error()}
	}
	return wire.Event{Exit: &status}
}

// stream sends events one at a time: a program's two streams write at once.
type stream struct {
	mu      sync.Mutex
	encoder *json.Encoder
	flush   func()
}

func (s *stream) send(e wire.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.encoder.Encode(e); err != nil {
		return err
	}
	s.flush()
	return nil
}

type writer func(p []byte) error

func (w writer) Write(p []byte) (int, error) {
	if err := w(p); err != nil {
		return 0, err
	}
	return len(p), nil
}
