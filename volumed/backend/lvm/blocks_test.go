package lvm

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"clinker/internal/fault"
)

// written makes a file of random-looking bytes, not a whole number of pieces.
func written(t *testing.T) (*os.File, []byte) {
	t.Helper()
	content := bytes.Repeat([]byte("bytes of a tenant "), 700_000)
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "file"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	return f, content
}

func TestWipe(t *testing.T) {
	t.Parallel()
	f, content := written(t)
	size, spent, left := int64(len(content)), 0, int64(-1)
	enough := errors.New("enough")
	spend := func(_ context.Context, bytes int) error {
		if spent > 0 && left > 0 && spent == int(size-left) && spent > 5<<20 {
			return enough
		}
		spent += bytes
		return nil
	}
	told := func(l int64) { left = l }
	if err := wipe(t.Context(), f, size, spend, told); !errors.Is(err, enough) {
		t.Fatalf("got %v, want spend's error", err)
	}
	for name, from := range map[string]int64{"what was wiped": left, "what was not": 0} {
		b := make([]byte, 1000)
		if _, err := f.ReadAt(b, from); err != nil {
			t.Fatal(err)
		}
		if blank := len(bytes.Trim(b, "\x00")) == 0; blank != (from == left) {
			t.Errorf("%s is blank: %v", name, blank)
		}
	}
	if err := wipe(t.Context(), f, left, func(context.Context, int) error { return nil }, told); err != nil || left != 0 {
		t.Errorf("went on: %v, %d left", err, left)
	}
	got, err := os.ReadFile(f.Name())
	if err != nil || len(got) != len(content) || len(bytes.Trim(got, "\x00")) != 0 {
		t.Errorf("the file has %d bytes and is not blank: %v", len(got), err)
	}
}

func TestWipeCancelled(t *testing.T) {
	t.Parallel()
	f, content := written(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := wipe(ctx, f, int64(len(content)), func(context.Context, int) error { return nil }, func(int64) {})
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("got %v, want Timeout", err)
	}
}

func TestCopyBlocks(t *testing.T) {
	t.Parallel()
	from, content := written(t)
	to, _ := written(t)
	size, told := int64(len(content)), int64(0)
	err := copyBlocks(t.Context(), to, from, size, func(done int64) {
		if done <= told {
			t.Errorf("progress went from %d to %d", told, done)
		}
		told = done
	})
	if err != nil || told != size {
		t.Errorf("%v; %d of %d bytes", err, told, size)
	}
	if got, err := os.ReadFile(to.Name()); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the copy differs: %v", err)
	}
}

func TestCopyBlocksFails(t *testing.T) {
	t.Parallel()
	from, content := written(t)
	size := int64(len(content))
	if err := copyBlocks(t.Context(), from, from, size+copyPiece, func(int64) {}); err == nil {
		t.Error("a source that is too short was copied")
	}
	readOnly, err := os.Open(from.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	if err := copyBlocks(t.Context(), readOnly, from, size, func(int64) {}); !errors.Is(err, os.ErrPermission) && err == nil {
		t.Error("a target that cannot be written to was written to")
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = copyBlocks(ctx, from, from, size, func(int64) { cancel() })
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("cancelled: got %v, want Timeout", err)
	}
}
