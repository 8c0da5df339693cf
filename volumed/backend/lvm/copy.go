package lvm

import (
	"context"
	"io"

	"golang.org/x/sync/errgroup"

	"clinker/internal/direct"
	"clinker/internal/fault"
	"clinker/internal/pace"
)

// copyPiece is how much is read and written at once, in bytes; copyPieces is how
// many are under way, so that reading and writing overlap.
const (
	copyPiece  = 4 << 20
	copyPieces = 2
)

type piece struct {
	at     int64
	memory []byte // all of it; filled is what is to be written
	filled []byte
}

// copyBlocks copies the first size bytes and tells progress after each piece. It
// stops with Timeout when ctx ends.
func copyBlocks(ctx context.Context, to io.WriterAt, from io.ReaderAt, size int64, progress func(int64)) error {
	empty, full := make(chan []byte, copyPieces), make(chan piece, copyPieces)
	for range copyPieces {
		memory, free, err := direct.Mapped(copyPiece)
		if err != nil {
			return err
		}
		defer free()
		empty <- memory
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(full)
		return readPieces(within, from, size, empty, full)
	})
	group.Go(func() error { return writePieces(within, to, empty, full, progress) })
	err := group.Wait()
	if ctx.Err() != nil {
		return fault.Wrap(ctx.Err(), fault.Timeout, "the copy was cut short")
	}
	return err
}

func readPieces(ctx context.Context, from io.ReaderAt, size int64, empty <-chan []byte, full chan<- piece) error {
	for at := int64(0); at < size; at += copyPiece {
		var p piece
		select {
		case <-ctx.Done():
			return ctx.Err()
		case memory := <-empty:
			p = piece{at: at, memory: memory, filled: memory[:min(copyPiece, size-at)]}
		}
		if n, err := from.ReadAt(p.filled, at); n < len(p.filled) {
			return err
		}
		full <- p // has room for every piece there is
	}
	return nil
}

func writePieces(ctx context.Context, to io.WriterAt, empty chan<- []byte, full <-chan piece, progress func(int64)) error {
	for p := range full {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := pace.Spend(ctx, int64(len(p.filled))); err != nil {
			return err
		}
		if _, err := to.WriteAt(p.filled, p.at); err != nil {
			return err
		}
		progress(p.at + int64(len(p.filled)))
		empty <- p.memory
	}
	return nil
}
