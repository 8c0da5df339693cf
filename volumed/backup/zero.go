package backup

import (
	"os"

	"golang.org/x/sys/unix"
)

// zero makes a stretch of a file or device read as zeroes, by giving its blocks back
// where that does it (fallocate(2)), else by writing.
func zero(f *os.File, at, bytes int64) error {
	for _, mode := range []uint32{
		unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE,
		unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE,
	} {
		if unix.Fallocate(int(f.Fd()), mode, at, bytes) == nil {
			return nil
		}
	}
	const piece = 1 << 20
	memory, free, err := aligned(piece)
	if err != nil {
		return err
	}
	defer free()
	for ; bytes > 0; at, bytes = at+piece, bytes-piece {
		if _, err := f.WriteAt(memory[:min(piece, bytes)], at); err != nil {
			return err
		}
	}
	return nil
}
