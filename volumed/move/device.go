package move

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/direct"
	"clinker/internal/fault"
)

// openSource opens a volume's block device or file for reading around the page cache,
// out of which a large copy would drive everything else, and in which what an
// initiator wrote to a device may not be. Conflict when it is shorter than wanted:
// what is behind its end would pass for a hole.
func openSource(path string, wanted int64) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&os.ModeDevice != 0 {
		return direct.Open(path, os.O_RDONLY)
	}
	if info.Size() < wanted {
		return nil, errShort
	}
	return direct.OpenSized(path, os.O_RDONLY, info.Size())
}

var errShort = fault.New(fault.Conflict, "the volume is shorter on its storage node than it should be")

// read reads a chunk and finds its zeroes. What is a hole of a file is not read, and
// leaves the memory as it was: of blocks of zeroes nobody looks at the bytes.
func read(from *os.File, at int64, into []byte) (zeroMap, error) {
	if hole(from, at, len(into)) {
		return allZeroes(len(into)), nil
	}
	if n, err := from.ReadAt(into, at); n < len(into) {
		if err == nil || errors.Is(err, io.EOF) {
			err = errShort
		}
		return 0, err
	}
	return zeroesOf(into), nil
}

// hole tells whether there is no data in a stretch of a file (lseek(2),
// SEEK_DATA); false also where that cannot be told.
func hole(f *os.File, at int64, length int) bool {
	data, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
	return errors.Is(err, unix.ENXIO) || err == nil && data >= at+int64(length)
}

// write puts a chunk where it belongs. Zeroes are not written to what reads as
// zeroes already.
func write(to *os.File, at int64, chunk []byte, z zeroMap, blank bool) error {
	return z.runs(len(chunk), func(from, until int, zero bool) error {
		if zero && blank {
			return nil
		}
		piece := blockOf(chunk, from, until)
		if zero {
			clear(piece)
		}
		_, err := to.WriteAt(piece, at+int64(from)*blockBytes)
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
			err = fault.Wrap(err, fault.NoSpace, "the pool has not enough room for what the volume holds")
		}
		return err
	})
}
