package copy

import (
	"bytes"
	"io"
)

// holeBytes is the piece that is left out when it is all zeroes; a thin pool's
// chunks are no smaller.
const holeBytes = 64 << 10

var zeroes [holeBytes]byte

// sparse writes one byte after the other and leaves holes where there are only
// zeroes, if what it writes to reads as zeroes already.
type sparse struct {
	to    io.WriterAt
	blank bool
	at    int64
}

// Write writes what is not a hole.
func (s *sparse) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		piece := p[:min(int64(len(p)), holeBytes-s.at%holeBytes)]
		if !s.blank || !bytes.Equal(piece, zeroes[:len(piece)]) {
			if _, err := s.to.WriteAt(piece, s.at); err != nil {
				return written, err
			}
		}
		s.at += int64(len(piece))
		written += len(piece)
		p = p[len(piece):]
	}
	return written, nil
}
