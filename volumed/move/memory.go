package move

import (
	"runtime"
	"sync"

	"clinker/internal/direct"
)

// piece is a chunk of memory as a disk is fast with. It goes back to the kernel when
// nobody holds the piece any more, whoever holds its memory.
type piece struct{ memory []byte }

// pieces are what nobody uses at the moment: Go's garbage collector takes those back
// that nobody uses for long.
var pieces sync.Pool

// buffer gives a chunk of memory until release is called.
func buffer() (memory []byte, release func(), err error) {
	held, ok := pieces.Get().(*piece)
	if !ok {
		if held, err = newPiece(); err != nil {
			return nil, nil, err
		}
	}
	return held.memory, func() { pieces.Put(held) }, nil
}

func newPiece() (*piece, error) {
	memory, free, err := direct.Mapped(chunkBytes)
	if err != nil {
		return nil, err
	}
	p := &piece{memory: memory}
	runtime.AddCleanup(p, func(free func()) { free() }, free)
	return p, nil
}
