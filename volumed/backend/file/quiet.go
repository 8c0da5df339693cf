package file

import (
	"context"
	"os"
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
		before, err := settled(ctx, from)
		if err != nil {
			return err
		}
		if err := copy(before.Size); err != nil {
			return err
		}
		after, err := stat(from)
		if err != nil {
			return err
		}
		if after.Mtim == before.Mtim && after.Ctim == before.Ctim {
			return nil
		}
	}
	return fault.New(fault.Busy, "the volume is being written to, and this pool can copy only a volume at rest; "+
		"detach it, or keep the pool on XFS or Btrfs with reflinks")
}

// settled gives stamps that the next write will change: it lets one tick pass
// when the last change is younger than that.
func settled(ctx context.Context, f *os.File) (unix.Stat_t, error) {
	now, err := stat(f)
	if err != nil || time.Since(time.Unix(now.Ctim.Unix())) > tick {
		return now, err
	}
	select {
	case <-ctx.Done():
		return now, fault.Wrap(ctx.Err(), fault.Timeout, "the copy was cut short")
	case <-time.After(tick):
		return now, nil
	}
}

func stat(f *os.File) (info unix.Stat_t, err error) {
	err = unix.Fstat(int(f.Fd()), &info)
	return info, err
}
