package copy

import (
	"context"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"clinker/internal/direct"
)

// pieceBytes is how much is read from or written to a disk at once, and pieces is
// how many are under way, so that the disk, the hash and the network work at the
// same time.
const (
	pieceBytes = 1 << 20
	pieces     = 4
)

// piece is memory for some bytes on their way to several writers.
type piece struct {
	memory  []byte
	bytes   []byte       // what of it is used
	writers atomic.Int32 // that have not written it yet
}

// fan brings pieces to several writers, each of which works beside the others: hashing
// an image takes as long as fetching it, and as long as writing it.
type fan struct {
	ctx   context.Context // ends when a writer has failed
	group *errgroup.Group
	empty chan *piece
	full  []chan *piece // of each writer
	free  func()        // gives the memory back
}

// newFan begins; close must be called.
func newFan(ctx context.Context, to ...io.Writer) (*fan, error) {
	memory, free, err := direct.Mapped(pieces * pieceBytes)
	if err != nil {
		return nil, err
	}
	f := &fan{empty: make(chan *piece, pieces), free: free}
	f.group, f.ctx = errgroup.WithContext(ctx)
	for ; len(memory) > 0; memory = memory[pieceBytes:] {
		f.empty <- &piece{memory: memory[:pieceBytes]}
	}
	for _, w := range to {
		full := make(chan *piece, pieces) // has room for every piece there is
		f.full = append(f.full, full)
		f.group.Go(func() error { return f.write(w, full) })
	}
	return f, nil
}

// write ends with the writer's first error; the others get no more then.
func (f *fan) write(w io.Writer, full <-chan *piece) error {
	for p := range full {
		if _, err := w.Write(p.bytes); err != nil {
			return err
		}
		if p.writers.Add(-1) == 0 {
			f.empty <- p
		}
	}
	return nil
}

// take gives a piece that all have written.
func (f *fan) take() (*piece, error) {
	select {
	case p := <-f.empty:
		return p, nil
	case <-f.ctx.Done():
		return nil, f.ctx.Err()
	}
}

// give brings a piece to every writer.
func (f *fan) give(p *piece) {
	p.writers.Store(int32(len(f.full)))
	for _, full := range f.full {
		full <- p
	}
}

// close waits until all that was given is written. Why a writer failed goes before
// err, which is why nothing more is given.
func (f *fan) close(err error) error {
	for _, full := range f.full {
		close(full)
	}
	defer f.free()
	if failed := f.group.Wait(); failed != nil {
		return failed
	}
	return err
}
