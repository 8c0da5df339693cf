package backup

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// zero makes a stretch of a file or device read as zeroes: by giving its blocks back
// where that does it (fallocate(2)); else it looks whether it does already, as a thin
// volume does where nothing was ever written, lest that take the pool's blocks.
func zero(f *os.File, at, bytes int64) error {
	if unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, bytes) == nil {
		return nil
	}
	through, err := os.OpenFile(f.Name(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	const piece = 1 << 20
	memory := make([]byte, piece)
	for end := at + bytes; at < end; at += piece {
		part := memory[:min(piece, end-at)]
		if _, err = through.ReadAt(part, at); err != nil {
			break
		}
		if blank(part) {
			continue
		}
		if err = overwrite(through, part, at); err != nil {
			break
		}
	}
	return errors.Join(err, through.Sync(), through.Close())
}

// overwrite writes zeroes, without sending them where the device can make them.
func overwrite(f *os.File, memory []byte, at int64) error {
	if unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_ZERO_RANGE|unix.FALLOC_FL_KEEP_SIZE, at, int64(len(memory))) == nil {
		return nil
	}
	clear(memory)
	_, err := f.WriteAt(memory, at)
	return err
}
