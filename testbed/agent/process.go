package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"clinker/testbed/wire"
)

// agent keeps the processes that run in the background.
type agent struct {
	mu        sync.Mutex
	processes map[int]*process
}

// process is one of them; end is valid once ended is closed.
type process struct {
	ended chan struct{}
	end   wire.Event
}

// start runs a program in the background. It lives on when the host goes away.
func (a *agent) start(w http.ResponseWriter, r *http.Request) {
	cmd, err := command(r)
	if err != nil {
		refuse(w, err)
		return
	}
	log, err := os.CreateTemp("/run", filepath.Base(cmd.Path)+"-*.log")
	if err != nil {
		refuse(w, err)
		return
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		refuse(w, err)
		return
	}
	p := &process{ended: make(chan struct{})}
	a.mu.Lock()
	a.processes[cmd.Process.Pid] = p
	a.mu.Unlock()
	go func() {
		p.end = ending(cmd.Wait())
		close(p.ended)
	}()
	_ = json.NewEncoder(w).Encode(wire.Started{Pid: cmd.Process.Pid, Log: log.Name()})
}

// wait answers when the process has ended; it may be asked again.
func (a *agent) wait(w http.ResponseWriter, r *http.Request) {
	_, p, err := a.find(r)
	if err != nil {
		refuse(w, err)
		return
	}
	select {
	case <-p.ended:
		_ = json.NewEncoder(w).Encode(p.end)
	case <-r.Context().Done():
	}
}

// signal sends a signal to the process and its children. One that has ended is
// not signalled: its number may be another's by now.
func (a *agent) signal(w http.ResponseWriter, r *http.Request) {
	pid, p, err := a.find(r)
	if err != nil {
		refuse(w, err)
		return
	}
	number, err := strconv.Atoi(r.FormValue("signal"))
	if err != nil {
		refuse(w, err)
		return
	}
	select {
	case <-p.ended:
		return
	default:
	}
	if err := syscall.Kill(-pid, syscall.Signal(number)); err != nil {
		refuse(w, err)
	}
}

func (a *agent) find(r *http.Request) (int, *process, error) {
	pid, err := strconv.Atoi(r.FormValue("pid"))
	if err != nil {
		return 0, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if p, ok := a.processes[pid]; ok {
		return pid, p, nil
	}
	return 0, nil, fmt.Errorf("no process %d was started here", pid)
}
