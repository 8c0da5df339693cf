package tgt

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"clinker/internal/fault"
)

// DaemonOptions say how to start a tgtd of one's own.
type DaemonOptions struct {
	// Dir is a directory that only this user may enter; the management socket
	// and the daemon's output go there. One daemon per directory.
	Dir string

	// Portals are address:port each, IPv6 addresses in brackets. Port 0 takes
	// a free one.
	Portals []string

	// Restarted is called, if it is not nil, after the daemon died and a new
	// one runs: it has no exports, so apply them again. ctx ends with Stop.
	Restarted func(ctx context.Context)
}

// Daemon is a tgtd that this package started or found running in its directory.
// It outlives this process if Stop is not called, and with it the exports; the
// next Start finds it again.
type Daemon struct {
	options DaemonOptions
	control control

	mu      sync.Mutex // of what follows; only Start and watch write it
	process *process
	portals []string // with the real ports, once known

	stop context.CancelFunc
	done chan struct{}
}

// socketName is what tgtd makes of control port 0.
const socketName = "tgtd.0"

// settle is how long a new daemon may take until it answers.
const settle = 20 * time.Second

// Start starts a daemon, or takes over the one that runs already in o.Dir, and
// watches it: one that dies is replaced. Errors: Unavailable when tgtd is not
// installed or does not come up, Conflict when a portal is in use. ctx bounds
// only the start.
func Start(ctx context.Context, o DaemonOptions) (*Daemon, error) {
	d := &Daemon{options: o, done: make(chan struct{}), control: control{filepath.Join(o.Dir, socketName)}}
	if len(d.control.socket) > 107 {
		return nil, fault.New(fault.Invalid, "the path %s is too long for a unix socket", d.control.socket)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := d.begin(ctx); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	go d.watch(watching)
	return d, nil
}

// begin finds or makes the first daemon. One that listens elsewhere than it
// should now is ended: its portals were configured otherwise.
func (d *Daemon) begin(ctx context.Context) error {
	p, err := d.adopt(ctx)
	if p != nil && err != nil {
		p.kill()
		<-p.ended
		p, err = nil, nil
	}
	if p == nil && err == nil {
		p, err = d.launch(ctx)
	}
	d.process = p
	return err
}

// Socket is the path for Options.Socket. It stays the same for all daemons of
// a directory.
func (d *Daemon) Socket() string { return d.control.socket }

// Pid is the process id of the present daemon.
func (d *Daemon) Pid() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.process.pid
}

// Stop ends the daemon and all exports with it, and returns when it is gone.
// What initiators wrote is in the kernel's hands by then.
func (d *Daemon) Stop() {
	d.stop()
	<-d.done
	d.process.kill()
	<-d.process.ended
	os.Remove(d.control.socket)
}

// watch replaces a daemon that dies, with a growing pause if they die quickly.
func (d *Daemon) watch(ctx context.Context) {
	defer close(d.done)
	const longest = 30 * time.Second
	pause := 100 * time.Millisecond
	trim := time.NewTicker(time.Minute)
	defer trim.Stop()
	for born := time.Now(); ; born = time.Now() {
		for alive := true; alive; {
			select {
			case <-ctx.Done():
				return
			case <-trim.C:
				d.trimLog()
			case <-d.process.ended:
				alive = false
			}
		}
		if time.Since(born) > time.Minute {
			pause = 100 * time.Millisecond
		}
		slog.ErrorContext(ctx, "tgtd died; starting another", "pid", d.process.pid)
		for !d.replace(ctx) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
				pause = min(2*pause, longest)
			}
		}
		if d.options.Restarted != nil {
			d.options.Restarted(ctx)
		}
	}
}

func (d *Daemon) replace(ctx context.Context) bool {
	p, err := d.launch(ctx)
	if err != nil {
		if ctx.Err() == nil {
			slog.ErrorContext(ctx, "tgtd does not start", "error", err)
		}
		return false
	}
	d.mu.Lock()
	d.process = p
	d.mu.Unlock()
	return true
}

// launch starts a daemon and returns when it answers and listens as it should.
func (d *Daemon) launch(ctx context.Context) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	portals := d.options.Portals
	if d.portals != nil {
		portals = d.portals // initiators know the ports by now
	}
	p, err := d.execute(portals)
	if err != nil {
		return nil, err
	}
	listening, err := d.listening(ctx, p)
	if err == nil {
		err = expect(portals, listening)
	}
	if err != nil {
		p.kill()
		<-p.ended
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.portals = listening
	return p, nil
}

// execute runs tgtd in the foreground, in a process group of its own so that a
// Ctrl-C meant for us does not take the exports away. Its standard input must not
// be writable: tgtd 1.0.85 may write to descriptor 0 while a unit changes.
func (d *Daemon) execute(portals []string) (*process, error) {
	output, err := os.OpenFile(d.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	words := make([]string, len(portals))
	for i, p := range portals {
		words[i] = "portal=" + p
	}
	cmd := exec.Command("tgtd", "--foreground", "--nr_iothreads", "4", "--control-port", "0",
		"--iscsi", strings.Join(words, ","))
	cmd.Env = []string{"PATH=" + programPath, "LC_ALL=C", "TGT_IPC_SOCKET=" + strings.TrimSuffix(d.control.socket, ".0")}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if cmd.Path, err = lookup("tgtd"); err != nil {
		return nil, err
	}
	cmd.Err = nil
	if err := cmd.Start(); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "the iSCSI daemon tgtd cannot be started")
	}
	p := &process{pid: cmd.Process.Pid, ended: make(chan struct{}), end: cmd.Process.Kill}
	go func() {
		cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (d *Daemon) log() string { return filepath.Join(d.options.Dir, "tgtd.log") }

// trimLog keeps the daemon's output from filling the disk: it writes a line for
// every login refused. The file is a file and no pipe to us, so that the daemon
// never waits for us.
func (d *Daemon) trimLog() {
	const enough = 1 << 20
	if info, err := os.Stat(d.log()); err == nil && info.Size() > enough {
		os.Truncate(d.log(), 0)
	}
}

// listening waits until the daemon answers, and gives its portals.
func (d *Daemon) listening(ctx context.Context, p *process) (portals []string, err error) {
	err = until(ctx, "tgtd did not come up in time", func() (bool, error) {
		select {
		case <-p.ended:
			return false, fault.New(fault.Unavailable, "the iSCSI daemon tgtd ended at once; see tgtd.log in its directory")
		default:
		}
		text, err := d.control.call(ctx, request{mode: modePortal, op: opShow})
		if fault.Is(err, fault.Unavailable) {
			return false, nil
		}
		portals = parsePortals(text)
		return err == nil, err
	})
	return portals, err
}

// expect compares the portals the daemon has with those it was told. It goes
// on without one that it cannot have, and with all addresses of the machine if
// it can have none.
func expect(wanted, got []string) error {
	for _, g := range got {
		if !slices.ContainsFunc(wanted, func(w string) bool { return samePortal(w, g) }) {
			return fault.New(fault.Conflict, "the address %s for iSCSI cannot be had; is it in use?", strings.Join(wanted, ", "))
		}
	}
	if len(got) != len(wanted) {
		return fault.New(fault.Conflict, "not all of the addresses %s for iSCSI can be had; is one in use?", strings.Join(wanted, ", "))
	}
	return nil
}
