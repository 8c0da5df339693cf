package machine

import (
	"context"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is one running QEMU.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone and reaped
}

// start runs cmd until it ends, ctx does, or lifetime has passed. In a process
// group of its own a terminal's Ctrl-C does not reach it, so that our caller can
// end it in good order; a command that reads the terminal must stay in ours.
func start(ctx context.Context, cmd *exec.Cmd, lifetime time.Duration, terminal bool) (*process, error) {
	// The kernel kills the child when its parent goes, however that happens.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: !terminal}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// "Parent" means the thread that made the child, not our process: this
		// goroutine keeps its thread until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	go func() {
		limit := time.NewTimer(lifetime)
		defer limit.Stop()
		select {
		case <-p.ended:
			return
		case <-ctx.Done():
		case <-limit.C:
		}
		p.kill()
	}()
	return p, nil
}

// kill may be called at any time: a process that is gone is left alone.
func (p *process) kill() { _ = p.cmd.Process.Kill() }
