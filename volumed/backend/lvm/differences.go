package lvm

import (
	"bytes"
	"context"
	"io"

	"clinker/internal/direct"
	"clinker/internal/fault"
	"clinker/internal/pace"
)

// readWriter is a device.
type readWriter interface {
	io.ReaderAt
	io.WriterAt
}

// copyDifferences makes the first size bytes of a device as another's, and
// writes only the chunks that differ. It tells progress after each piece, and
// stops with Timeout when ctx ends.
func copyDifferences(ctx context.Context, to readWriter, from io.ReaderAt, size int64, progress func(int64)) error {
	return eachPiece(ctx, to, from, 0, size, progress)
}

// zeroDifferences does the same with zeroes, from start on.
func zeroDifferences(ctx context.Context, to readWriter, start, size int64, progress func(int64)) error {
	return eachPiece(ctx, to, zeroes{}, start, size, progress)
}

// zeroes reads as zeroes, without end.
type zeroes struct{}

func (zeroes) ReadAt(b []byte, _ int64) (int, error) {
	clear(b)
	return len(b), nil
}

func eachPiece(ctx context.Context, to readWriter, from io.ReaderAt, start, size int64, progress func(int64)) error {
	if start >= size {
		return nil
	}
	wanted, free, err := direct.Mapped(copyPiece)
	if err != nil {
		return err
	}
	defer free()
	had, free, err := direct.Mapped(copyPiece)
	if err != nil {
		return err
	}
	defer free()
	for at := start; at < size; at += copyPiece {
		if ctx.Err() != nil {
			return fault.Wrap(ctx.Err(), fault.Timeout, "the copy was cut short")
		}
		n := min(copyPiece, size-at)
		if err := pace.Spend(ctx, n); err != nil {
			return err
		}
		if err := mend(to, from, at, wanted[:n], had[:n]); err != nil {
			return err
		}
		progress(at + n)
	}
	return nil
}

// mend writes one piece where it differs, neighbouring chunks at once.
func mend(to readWriter, from io.ReaderAt, at int64, wanted, had []byte) error {
	if err := readFull(from, wanted, at); err != nil {
		return err
	}
	if err := readFull(to, had, at); err != nil {
		return err
	}
	for i := 0; i < len(wanted); {
		end := i
		for end < len(wanted) && !bytes.Equal(chunkOf(wanted, end), chunkOf(had, end)) {
			end += len(chunkOf(wanted, end))
		}
		if end == i {
			i += len(chunkOf(wanted, i))
			continue
		}
		if _, err := to.WriteAt(wanted[i:end], at+int64(i)); err != nil {
			return err
		}
		i = end
	}
	return nil
}

func chunkOf(b []byte, at int) []byte { return b[at:min(at+chunkBytes, len(b))] }

func readFull(from io.ReaderAt, b []byte, at int64) error {
	n, err := from.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
