package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"syscall"

	"clinker/testbed/wire"
)

// Process is a program that runs in the background of a guest, until it ends or
// the guest is off.
type Process struct {
	machine *Machine
	pid     int
	log     string
}

// Start runs a program in the background: a daemon that stays in the foreground.
func (m *Machine) Start(ctx context.Context, c Command) (*Process, error) {
	access, ctx, cancel, err := m.reach(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	body, err := access.post(ctx, "/start", c)
	if err != nil {
		return nil, fmt.Errorf("start %s in guest %s: %w", c.Args[0], m.options.Name, err)
	}
	defer body.Close()
	var started wire.Started
	if err := json.NewDecoder(body).Decode(&started); err != nil {
		return nil, err
	}
	return &Process{machine: m, pid: started.Pid, log: started.Log}, nil
}

// Log returns all that the process has written to both its streams.
func (p *Process) Log(ctx context.Context) ([]byte, error) { return p.machine.Get(ctx, p.log) }

// Signal sends a signal to the process and its children. It is no error if the
// process has ended.
func (p *Process) Signal(ctx context.Context, signal syscall.Signal) error {
	query := p.query()
	query.Set("signal", strconv.Itoa(int(signal)))
	return p.machine.discard(ctx, http.MethodPost, "/signal", query, nil)
}

// Wait returns the exit status, as Stream does, when the process has ended.
func (p *Process) Wait(ctx context.Context) (int, error) {
	access, ctx, cancel, err := p.machine.reach(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	body, err := access.do(ctx, http.MethodGet, "/wait", p.query(), nil)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	var event wire.Event
	if err := json.NewDecoder(body).Decode(&event); err != nil {
		return 0, err
	}
	if event.Exit == nil {
		return 0, errors.New(event.Error)
	}
	return *event.Exit, nil
}

func (p *Process) query() url.Values { return url.Values{"pid": {strconv.Itoa(p.pid)}} }
