package file

import (
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

const (
	// attempts is how often a copy is begun again because somebody wrote.
	attempts = 3
	// tick is longer than the step of the clock that stamps files: two writes
	// further apart than this leave different stamps (inode(7)).
	tick = 50 * time.Millisecond
)

// whileQuiet copies a file that somebody may have open, without reflink. What
// was copied is the file at one point in time if nobody wrote from beginning to
// end, and that its time stamps tell. Busy when it is written all the time.
func whileQuiet(ctx context.Context, from *os.File, copy func(size int64) error) error {
	for range attempts {
		same, err := quiet(ctx, from, copy)
		if same || err != nil {
			return err
		}
	}
	return fault.New(fault.Busy, "the volume is being written to, and this pool can copy only a volume at rest; "+
		"detach it, or keep the pool on XFS or Btrfs with reflinks")
}

// quiet copies once, and tells whether nobody wrote.
func quiet(ctx context.Context, from *os.File, copy func(size int64) error) (bool, error) {
	before, free, err := settled(ctx, from)
	if err != nil {
		return false, err
	}
	defer free()
	if err := copy(before.Size); err != nil {
		return false, err
	}
	after, err := stat(from)
	return after.Mtim == before.Mtim && after.Ctim == before.Ctim, err
}

// settled gives stamps that the next write will change, which they do when the
// last change is a tick ago. When it is younger, writers are kept away until then,
// and the copy need not wait; if somebody already has the file open for writing,
// settled lets the tick pass. free ends what it began.
func settled(ctx context.Context, f *os.File) (info unix.Stat_t, free func(), err error) {
	info, err = stat(f)
	if err != nil || time.Since(time.Unix(info.Ctim.Unix())) > tick {
		return info, func() {}, err
	}
	if free, ok := keepWritersAway(f, tick); ok {
		info, err = stat(f) // nobody has written since
		return info, free, err
	}
	select {
	case <-ctx.Done():
		return info, nil, fault.Wrap(ctx.Err(), fault.Timeout, "the copy was cut short")
	case <-time.After(tick):
		return info, func() {}, nil
	}
}

// keepWritersAway has everybody who opens the file for writing wait until free, and
// not longer than so long: a read lease (fcntl(2), "Leases"). It is not granted when
// somebody has opened it already, nor on a file system without leases.
func keepWritersAway(f *os.File, long time.Duration) (free func(), ok bool) {
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK); err != nil {
		return nil, false
	}
	end := sync.OnceFunc(func() { unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK) })
	timer := time.AfterFunc(long, end)
	return func() { timer.Stop(); end() }, true
}

func stat(f *os.File) (info unix.Stat_t, err error) {
	err = unix.Fstat(int(f.Fd()), &info)
	return info, err
}
