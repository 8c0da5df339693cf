package copy

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

// writer is a function that writes.
type writer func([]byte) error

func (w writer) Write(p []byte) (int, error) { return len(p), w(p) }

// given has a fan give so many pieces, of one byte each.
func given(f *fan, count int) error {
	for i := range count {
		p, err := f.take()
		if err != nil {
			return err
		}
		p.bytes = append(p.memory[:0], byte(i))
		f.give(p)
	}
	return nil
}

// TestBeside: a writer that is slow holds another up only when all pieces are on their
// way, and none is used again before both have written it.
func TestBeside(t *testing.T) {
	t.Parallel()
	ahead, rest := make(chan struct{}), 3*pieces
	var fast, slow []byte
	f, err := newFan(t.Context(), writer(func(p []byte) error {
		if fast = append(fast, p...); len(fast) == pieces {
			close(ahead)
		}
		return nil
	}), writer(func(p []byte) error {
		<-ahead
		slow = append(slow, p...)
		return nil
	}))
	if err == nil {
		err = f.close(given(f, pieces+rest))
	}
	if err != nil || len(fast) != pieces+rest || !bytes.Equal(fast, slow) || fast[len(fast)-1] != byte(pieces+rest-1) {
		t.Errorf("%v and %v, %v", fast, slow, err)
	}
}

// TestWriterFails: nothing waits for a writer that has failed, and its error is told.
func TestWriterFails(t *testing.T) {
	t.Parallel()
	want := errors.New("the disk is gone")
	f, err := newFan(t.Context(), writer(func([]byte) error { return nil }), writer(func([]byte) error { return want }))
	if err == nil {
		err = f.close(given(f, 100*pieces))
	}
	if !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

// TestFanCancelled: who waits for a piece waits no longer.
func TestFanCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f, err := newFan(ctx, writer(func([]byte) error { cancel(); <-ctx.Done(); return nil }))
	if err == nil {
		err = f.close(given(f, 1<<20))
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
