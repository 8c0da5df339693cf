package copy

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"time"

	"clinker/internal/direct"
	"clinker/internal/fault"
	"clinker/internal/pace"
)

// body is what an upload sends: a file's bytes, read ahead by a goroutine, and hashed
// by another.
type body struct {
	ctx      context.Context // ends when the receiver takes nothing for longer than patience
	cancel   context.CancelCauseFunc
	late     *time.Timer
	patience time.Duration
	progress func(int64)

	empty, read, full chan []byte // of these, full are hashed; each has room for every piece there is

	sum    hash.Hash
	failed error         // of the reader; set before full is closed
	whole  chan struct{} // closed when all has been sent
	left   []byte
	piece  []byte
	sent   int64
}

// errStalled is why an upload ends whose receiver takes nothing.
var errStalled = fault.New(fault.Unavailable, "the image service takes no bytes")

func newBody(ctx context.Context, from io.ReaderAt, bytes int64, patience time.Duration, progress func(int64)) *body {
	b := &body{patience: patience, progress: progress, sum: sha512.New(), whole: make(chan struct{}),
		empty: make(chan []byte, pieces), read: make(chan []byte, pieces), full: make(chan []byte, pieces)}
	b.ctx, b.cancel = context.WithCancelCause(ctx)
	b.late = time.AfterFunc(patience, func() { b.cancel(errStalled) })
	for range pieces {
		b.empty <- direct.Buffer(pieceBytes)
	}
	go b.readAhead(from, bytes)
	go b.hash()
	return b
}

func (b *body) readAhead(from io.ReaderAt, bytes int64) {
	defer close(b.read)
	for at := int64(0); at < bytes; {
		var piece []byte
		select {
		case piece = <-b.empty:
		case <-b.ctx.Done():
			b.failed = b.ctx.Err()
			return
		}
		piece = piece[:min(pieceBytes, bytes-at)]
		if b.failed = pace.Spend(b.ctx, int64(len(piece))); b.failed != nil {
			return
		}
		n, err := from.ReadAt(piece, at)
		if n < len(piece) {
			b.failed = errors.Join(err, io.ErrUnexpectedEOF)
			return
		}
		b.read <- piece
		at += int64(n)
	}
}

func (b *body) hash() {
	defer close(b.full)
	for piece := range b.read {
		b.sum.Write(piece) // never fails (hash.Hash)
		b.full <- piece
	}
}

// Read gives the next bytes. Only the receiver's time counts as late, not the
// disk's: the clock starts when there is something to send.
func (b *body) Read(p []byte) (int, error) {
	if len(b.left) == 0 {
		if err := b.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.left)
	b.took(n)
	return n, nil
}

// WriteTo sends piece by piece.
func (b *body) WriteTo(w io.Writer) (sent int64, err error) {
	for {
		if len(b.left) == 0 {
			if err := b.next(); errors.Is(err, io.EOF) {
				return sent, nil
			} else if err != nil {
				return sent, err
			}
		}
		n, err := w.Write(b.left)
		sent += int64(n)
		b.took(n)
		if err != nil {
			return sent, err
		}
	}
}

func (b *body) took(n int) {
	b.left, b.sent = b.left[n:], b.sent+int64(n)
	b.late.Reset(b.patience)
	b.progress(b.sent)
}

func (b *body) next() error {
	if b.piece != nil {
		b.empty <- b.piece[:pieceBytes]
		b.piece = nil
	}
	b.late.Stop()
	piece, ok := <-b.full
	if !ok && b.failed != nil {
		return b.failed
	}
	if !ok {
		b.finish()
		return io.EOF // how long the answer may take is the client's to say
	}
	b.late.Reset(b.patience)
	b.piece, b.left = piece, piece
	return nil
}

func (b *body) finish() {
	select {
	case <-b.whole:
	default:
		close(b.whole)
	}
}

// complete is nil when all has been sent: an answer may come before.
func (b *body) complete() error {
	select {
	case <-b.whole:
		return nil
	default:
		return fault.New(fault.Unavailable, "the image service answered before it had all of the image's bytes")
	}
}

// why gives what ended an upload: what the disk said goes before what the
// network made of it.
func (b *body) why(ctx context.Context, err error) error {
	b.end()
	for range b.full { // the reader has ended when this has
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(context.Cause(b.ctx), errStalled):
		return errStalled
	case b.failed != nil && !errors.Is(b.failed, context.Canceled) && !fault.Is(b.failed, fault.Timeout):
		return b.failed
	}
	return err
}

// digest is the SHA-512 of what was sent, in hex.
func (b *body) digest() string { return hex.EncodeToString(b.sum.Sum(nil)) }

func (b *body) end() {
	b.late.Stop()
	b.cancel(nil)
}
