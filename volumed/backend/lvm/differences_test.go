package lvm

import (
	"bytes"
	"context"
	"io"
	"testing"

	"pgregory.net/rapid"

	"clinker/internal/fault"
)

// memory is a device that counts what is written to it.
type memory struct {
	*bytes.Reader
	data    []byte
	written int
}

func newMemory(data []byte) *memory { return &memory{bytes.NewReader(data), data, 0} }

func (m *memory) WriteAt(b []byte, at int64) (int, error) {
	m.written += len(b)
	if copy(m.data[at:], b) < len(b) {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

// TestCopyDifferences: whatever differs, the result is the same, and no chunk
// that was the same is written.
func TestCopyDifferences(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.IntRange(1, 3*copyPiece/512).Draw(r, "sectors") * 512
		from, to := make([]byte, size), make([]byte, size)
		changed := map[int]bool{}
		for range rapid.IntRange(0, 20).Draw(r, "changes") {
			at := rapid.IntRange(0, size-1).Draw(r, "at")
			to[at] ^= 1
			changed[at/chunkBytes] = true
		}
		half := int64(size / 2 / chunkBytes * chunkBytes) // a snapshot is whole chunks
		m, rest := newMemory(to), bytes.Clone(to[half:])
		if err := copyDifferences(t.Context(), m, bytes.NewReader(from), half, func(int64) {}); err != nil {
			r.Fatal(err)
		}
		if !bytes.Equal(to[:half], from[:half]) || !bytes.Equal(to[half:], rest) {
			r.Fatal("not what was to be copied")
		}
		if err := zeroDifferences(t.Context(), m, half, int64(size), func(int64) {}); err != nil {
			r.Fatal(err)
		}
		if !bytes.Equal(to, from) {
			r.Fatal("not what was to be zeroed")
		}
		if m.written > len(changed)*chunkBytes {
			r.Fatalf("%d bytes written for %d chunks that differed", m.written, len(changed))
		}
	})
}

func TestCopyDifferencesIsCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	size := int64(3 * copyPiece)
	err := copyDifferences(ctx, newMemory(make([]byte, size)), zeroes{}, size, func(int64) { cancel() })
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("got %v, want Timeout", err)
	}
	err = copyDifferences(t.Context(), newMemory(make([]byte, 100)), zeroes{}, 200, func(int64) {})
	if err == nil {
		t.Error("a device that is too short passed")
	}
}
