package copy

import (
	"crypto/aes"
	"io"
	"runtime"
	"sync"

	"golang.org/x/crypto/xts"
)

// sealer encrypts what it is given, sector by sector (aes-xts-plain64: the tweak is
// the sector's number, counted from where the bytes begin), and writes it one
// piece after the other.
type sealer struct {
	to     io.WriterAt
	cipher *xts.Cipher
	begin  int64 // where the bytes begin
	at     int64 // where the next piece goes
	piece  []byte
	sealed []byte
}

func newSealer(to io.WriterAt, begin int64, volumeKey []byte) (*sealer, error) {
	c, err := xts.NewCipher(aes.NewCipher, volumeKey)
	if err != nil {
		return nil, err
	}
	return &sealer{to: to, cipher: c, begin: begin, at: begin, piece: make([]byte, 0, pieceBytes), sealed: make([]byte, pieceBytes)}, nil
}

// Write takes bytes; a whole piece of them is written.
func (s *sealer) Write(p []byte) (int, error) {
	taken := 0
	for len(p) > 0 {
		n := min(len(p), cap(s.piece)-len(s.piece))
		s.piece = append(s.piece, p[:n]...)
		p, taken = p[n:], taken+n
		if len(s.piece) == cap(s.piece) {
			if err := s.flush(); err != nil {
				return taken, err
			}
		}
	}
	return taken, nil
}

// finish writes what is left, with zeroes to the end of the sector.
func (s *sealer) finish() error {
	if short := len(s.piece) % sectorBytes; short > 0 {
		s.piece = append(s.piece, zeroes[:sectorBytes-short]...)
	}
	return s.flush()
}

// flush encrypts the piece with as many processors as there are, and writes it.
func (s *sealer) flush() error {
	first := uint64(s.at-s.begin) / sectorBytes
	sectors := len(s.piece) / sectorBytes
	share := max(1, (sectors+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var working sync.WaitGroup
	for from := 0; from < sectors; from += share {
		working.Go(func() {
			for i := from; i < min(from+share, sectors); i++ {
				b := i * sectorBytes
				s.cipher.Encrypt(s.sealed[b:b+sectorBytes], s.piece[b:b+sectorBytes], first+uint64(i))
			}
		})
	}
	working.Wait()
	_, err := s.to.WriteAt(s.sealed[:len(s.piece)], s.at)
	s.at += int64(len(s.piece))
	s.piece = s.piece[:0]
	return err
}
