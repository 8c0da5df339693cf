package copy

import (
	"bytes"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// holeBytes is the piece that is left out when it is all zeroes; a thin pool's
// chunks are no smaller. flushBytes is how much is written before the disk is asked
// to begin with it.
const (
	holeBytes  = 64 << 10
	flushBytes = 16 << 20
)

var zeroes [holeBytes]byte

// sparse writes one byte after the other and leaves holes where there are only
// zeroes, if what it writes to reads as zeroes already. It keeps the disk at work
// meanwhile, which would else begin when all is there.
type sparse struct {
	to      io.WriterAt
	blank   bool
	at      int64
	flushed int64
}

// Write writes what is not a hole, neighbouring pieces at once.
func (s *sparse) Write(p []byte) (int, error) {
	begun := s.at
	for len(p) > 0 {
		hole, length := s.stretch(p)
		if !hole {
			if _, err := s.to.WriteAt(p[:length], s.at); err != nil {
				return int(s.at - begun), err
			}
		}
		s.at += int64(length)
		p = p[length:]
	}
	s.flush()
	return int(s.at - begun), nil
}

// stretch tells how far p is all hole, or all not.
func (s *sparse) stretch(p []byte) (hole bool, length int) {
	for length < len(p) {
		piece := p[length:min(len(p), length+int(holeBytes-(s.at+int64(length))%holeBytes))]
		is := s.blank && bytes.Equal(piece, zeroes[:len(piece)])
		if length > 0 && is != hole {
			break
		}
		hole = is
		length += len(piece)
	}
	return hole, length
}

// flush has the kernel begin to write, and does not wait for it
// (sync_file_range(2)). Whoever must know that it is on the disk still syncs.
func (s *sparse) flush() {
	if file, ok := s.to.(*os.File); ok && s.at-s.flushed >= flushBytes {
		_ = unix.SyncFileRange(int(file.Fd()), s.flushed, s.at-s.flushed, unix.SYNC_FILE_RANGE_WRITE)
		s.flushed = s.at
	}
}
