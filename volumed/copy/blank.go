package copy

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/pace"
)

// blankPiece is how much is zeroed between two looks at the context, in bytes.
const blankPiece = 64 << 20

// Blank makes a device or file read as zeroes from one offset to another. The
// kernel does it where it can (fallocate(2), FALLOC_FL_ZERO_RANGE, which block
// devices know too).
func Blank(ctx context.Context, path string, from, to int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for at := from; at < to && err == nil; at += blankPiece {
		length := min(blankPiece, to-at)
		if err = pace.Spend(ctx, length); err == nil {
			err = zeroRange(f, at, length)
		}
	}
	return errors.Join(err, f.Close())
}

func zeroRange(f *os.File, at, length int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_ZERO_RANGE|unix.FALLOC_FL_KEEP_SIZE, at, length)
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	for end := at + length; at < end; {
		n, err := f.WriteAt(zeroes[:min(holeBytes-at%holeBytes, end-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}
