package run

import (
	"context"
	"errors"
	"os/exec"

	"golang.org/x/sys/unix"
)

// run starts the program, and what runs beside it, and waits for both.
func (c Command) run(ctx context.Context, cmd *exec.Cmd) error {
	if c.Beside == nil {
		return cmd.Run()
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	beside, end := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); c.Beside(beside, cmd.Process.Pid) }()
	awaitExit(cmd.Process.Pid)
	end()
	<-ended
	return cmd.Wait()
}

// awaitExit waits for a child's end and leaves it to be waited for again, so that
// its id is not given to another meanwhile (waitid(2), WNOWAIT).
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
