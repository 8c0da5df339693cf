package carry

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"clinker/internal/fault"
)

// Lock keeps other processes from working on the volume until unlock is called
// or this process dies. InProgress when ctx ends before the lock is free.
func (s states) Lock(ctx context.Context, volumeID string, poll time.Duration) (unlock func(), err error) {
	for {
		unlock, err := s.tryLock(volumeID)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, fault.Wrap(ctx.Err(), fault.InProgress, "another process on this machine is working on volume %s", volumeID)
		case <-time.After(poll):
		}
	}
}

// tryLock takes the lock or gives EWOULDBLOCK. The file goes when the lock is
// given up, so that a lock on a file that is no longer in place counts for nothing.
func (s states) tryLock(volumeID string) (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, filepath.Base(volumeID)+".lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	mine, errMine := f.Stat()
	there, errThere := os.Stat(path)
	if errMine != nil || errThere != nil || !os.SameFile(mine, there) {
		f.Close()
		return nil, syscall.EWOULDBLOCK
	}
	return func() {
		os.Remove(path)
		f.Close()
	}, nil
}
