package tgt

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// programPath is where tgtd may be; the same as in internal/run, which does not
// start programs that stay.
const programPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// process is a daemon, our child or not.
type process struct {
	pid   int
	ended chan struct{} // closed when it is gone
	end   func() error
}

// kill ends the daemon. tgtd ignores SIGTERM.
func (p *process) kill() { p.end() }

func lookup(program string) (string, error) {
	for _, dir := range filepath.SplitList(programPath) {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, nil
		}
	}
	return "", fault.New(fault.Unavailable, "the program %s is not installed: run apt-get install tgt", program)
}

// Running tells whether a daemon runs in the directory that Start would take over.
func Running(dir string) bool {
	conn, err := net.Dial("unix", filepath.Join(dir, socketName))
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// adopt takes over the daemon that listens on the socket; nil when there is
// none. The kernel says who it is, so that no file with a process id can lie. An
// error together with a process means that it is of no use.
func (d *Daemon) adopt(ctx context.Context) (*process, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", d.control.socket)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ECONNREFUSED) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "the iSCSI daemon tgtd does not answer")
	}
	defer conn.Close()
	pid, fd, err := peer(conn.(*net.UnixConn))
	if err != nil {
		return nil, err
	}
	p := &process{pid: pid, ended: make(chan struct{}), end: func() error { return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) }}
	go func() {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if n, err := unix.Poll(poll, -1); n > 0 || !errors.Is(err, unix.EINTR) {
				break
			}
		}
		close(p.ended)
	}()
	d.portals, err = d.listening(ctx, p)
	if err == nil {
		err = expect(d.options.Portals, d.portals)
	}
	return p, err
}

// peer gives the process that listens at the other end, and a descriptor for it.
func peer(conn *net.UnixConn) (pid, fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var who *unix.Ucred
	var failed error
	err = raw.Control(func(s uintptr) {
		if who, failed = unix.GetsockoptUcred(int(s), unix.SOL_SOCKET, unix.SO_PEERCRED); failed == nil {
			fd, failed = unix.PidfdOpen(int(who.Pid), 0)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return 0, 0, err
	}
	return int(who.Pid), fd, nil
}

// samePortal compares a portal as wanted with one as tgtd prints it. Port 0 is
// any port.
func samePortal(wanted, got string) bool {
	w, err := netip.ParseAddrPort(wanted)
	g, err2 := netip.ParseAddrPort(got)
	return err == nil && err2 == nil && w.Addr() == g.Addr() && (w.Port() == 0 || w.Port() == g.Port())
}
