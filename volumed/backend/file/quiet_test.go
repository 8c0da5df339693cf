package file

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// written makes a volume with data and opens it.
func written(t *testing.T, b *Backend, name string) *os.File {
	t.Helper()
	if err := b.Create(t.Context(), name, 4*chunk); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(b.path(name), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.WriteAt(bytes.Repeat([]byte{1}, 4*chunk), 0); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestWrittenOnce: a write in the middle of the copying makes it begin again, and
// the copy is the volume after that write.
func TestWrittenOnce(t *testing.T) {
	t.Parallel()
	b := withoutReflink(opened(t))
	f := written(t, b, "volume-a")
	told := 0
	err := b.Clone(t.Context(), "volume-a", "volume-b", 4*chunk, func(int64) {
		if told++; told == 2 {
			if _, err := f.WriteAt(bytes.Repeat([]byte{2}, 4*chunk), 0); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(b.path("volume-b"))
	if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{2}, 4*chunk)) {
		t.Errorf("the clone is not the volume at one point in time: %v", err)
	}
}

// TestWrittenAlways: there is no copy rather than one of two points in time.
func TestWrittenAlways(t *testing.T) {
	t.Parallel()
	b := withoutReflink(opened(t))
	f := written(t, b, "volume-a")
	err := b.Clone(t.Context(), "volume-a", "volume-b", 4*chunk, func(int64) {
		if _, err := f.WriteAt([]byte{3}, 0); err != nil {
			t.Error(err)
		}
	})
	if !fault.Is(err, fault.Busy) {
		t.Errorf("got %v, want Busy", err)
	}
	for _, path := range []string{b.path("volume-b"), b.halfMade("volume-b")} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was left: %v", path, err)
		}
	}
}

// TestWritersKeptAway: who opens the file for writing waits for the lease's end, by
// whatever it ends; and who has it open already is not kept away.
func TestWritersKeptAway(t *testing.T) {
	t.Parallel()
	b := withoutReflink(opened(t))
	writer := written(t, b, "volume-a")
	reader, err := b.open("volume-a", os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, ok := keepWritersAway(reader, time.Hour); ok {
		t.Error("a writer that was there was not seen")
	}
	writer.Close()
	free, ok := keepWritersAway(reader, time.Hour)
	if !ok {
		t.Fatal("no lease on a file that nobody writes")
	}
	if f, err := b.open("volume-a", os.O_RDWR|unix.O_NONBLOCK); err == nil {
		t.Error("a writer came in")
		f.Close()
	}
	free()
	free()
	if free, ok = keepWritersAway(reader, time.Millisecond); !ok {
		t.Fatal("no second lease")
	}
	defer free()
	f, err := b.open("volume-a", os.O_RDWR) // waits
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
