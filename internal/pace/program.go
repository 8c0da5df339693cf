package pace

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// look is how long a program runs on between two looks at what it has moved.
const look = 20 * time.Millisecond

// Program bounds a program that copies for us, qemu-img for one, by the share in
// the context: it spends what the program has read or written, whichever is more,
// and stops the program's process group (SIGSTOP) while that has not been paid for.
// It returns when ctx ends or the program does; pid is that of the group's leader,
// whom nobody may have waited for yet.
func Program(ctx context.Context, pid int) {
	if !bounded(ctx) {
		return
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for paid := int64(0); ; {
		moved, err := movedBy(pid)
		if err != nil {
			return // it has ended
		}
		if moved > paid && !held(ctx, pid, moved-paid) {
			return
		}
		paid = max(paid, moved)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// held pays while the program stands still.
func held(ctx context.Context, pid int, bytes int64) bool {
	if unix.Kill(-pid, unix.SIGSTOP) != nil {
		return false
	}
	defer unix.Kill(-pid, unix.SIGCONT)
	return Spend(ctx, bytes) == nil
}

// movedBy reads how many bytes a process has moved (proc(5), /proc/[pid]/io).
func movedBy(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	return parseIO(text), nil
}

// parseIO takes the larger of what was read and written by system calls.
func parseIO(text []byte) (most int64) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var name string
		var n int64
		if _, err := fmt.Sscan(lines.Text(), &name, &n); err == nil && (name == "rchar:" || name == "wchar:") {
			most = max(most, n)
		}
	}
	return most
}
