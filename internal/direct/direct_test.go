package direct

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOpen: what is written so is read so, on a file system that can and on one that cannot.
func TestOpen(t *testing.T) {
	t.Parallel()
	shm, err := os.MkdirTemp("/dev/shm", "direct") // tmpfs, which had no O_DIRECT before Linux 6.6
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(shm) })
	for _, dir := range []string{t.TempDir(), shm} {
		for _, length := range []int{2 * Block, 2*Block + 1} {
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			want := Buffer(length)
			for i := range want {
				want[i] = byte(i % 251)
			}
			to, err := OpenSized(path, os.O_WRONLY, int64(length))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = to.WriteAt(want, 0); err != nil {
				t.Errorf("%d bytes in %s: %v", length, dir, err)
			}
			_ = to.Close()
			got, free, err := Mapped(3 * Block)
			if err != nil {
				t.Fatal(err)
			}
			from, err := Open(path, os.O_RDONLY)
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := from.ReadAt(got, 0); n != length || !bytes.Equal(got[:n], want) {
				t.Errorf("%d bytes in %s: %d came back, or others", length, dir, n)
			}
			flags, err := unix.FcntlInt(from.Fd(), unix.F_GETFL, 0)
			if able := Able(path); err != nil || able != (flags&unix.O_DIRECT != 0) {
				t.Errorf("O_DIRECT in %s: said to be %t, flags %#x, %v", dir, able, flags, err)
			}
			_ = from.Close()
			free()
		}
	}
}

func TestWhole(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]int64{0: 0, 1: Block, Block: Block, Block + 1: 2 * Block} {
		if got := Whole(bytes); got != want {
			t.Errorf("%d bytes: got %d, want %d", bytes, got, want)
		}
	}
}

func TestBuffer(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, Block, 1<<20 + 1} {
		b := Buffer(n)
		if len(b) != n || cap(b) != n || !Fit(b) {
			t.Errorf("%d bytes: %d of %d, fit %t", n, len(b), cap(b), Fit(b))
		}
	}
	if Fit(Buffer(2)[1:]) {
		t.Error("the second byte of a block is fit")
	}
}
