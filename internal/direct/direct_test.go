package direct

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

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

// TestMapped: what is long lies in huge pages, as the kernel says (proc_pid_smaps(5)), if it has any.
func TestMapped(t *testing.T) {
	t.Parallel()
	_, err := os.Stat("/sys/kernel/mm/transparent_hugepage/enabled")
	some := err == nil
	for bytes, long := range map[int]bool{1: false, 2*Block + 1: false, hugePage: true, 3*hugePage + 1: true} {
		memory, free, err := Mapped(bytes)
		if err != nil {
			t.Fatal(err)
		}
		if len(memory) != bytes || cap(memory) != bytes || !Fit(memory) {
			t.Errorf("%d bytes: %d of %d, fit %t", bytes, len(memory), cap(memory), Fit(memory))
		}
		start := uintptr(unsafe.Pointer(&memory[0]))
		if long && start%hugePage != 0 {
			t.Errorf("%d bytes begin within a huge page", bytes)
		}
		if huge := advised(t, start); huge != (long && some) {
			t.Errorf("%d bytes in huge pages: %t", bytes, huge)
		}
		memory[0], memory[bytes-1] = 1, 1
		free()
	}
}

// advised tells whether the mapping with an address is to have huge pages.
func advised(t *testing.T, address uintptr) bool {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	within := false
	for line := range strings.Lines(string(maps)) {
		var start, end uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &start, &end); n == 2 {
			within = start <= address && address < end
		} else if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && within {
			return slices.Contains(strings.Fields(flags), "hg")
		}
	}
	t.Fatal("the memory is not mapped")
	return false
}
