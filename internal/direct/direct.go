// Package direct is input and output around the kernel's page cache (open(2),
// O_DIRECT): copying through it costs more than all else that is done to a volume's
// bytes, and a large copy drives everything else out of it. It knows files and memory,
// and nothing of volumes.
package direct

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Block is what O_DIRECT wants memory, places and lengths to be multiples of at most,
// in bytes.
const Block = 4096

// Whole gives a length in bytes up to the end of its last block.
func Whole(bytes int64) int64 { return (bytes + Block - 1) / Block * Block }

// Open opens a device or file with O_DIRECT, and without it where the file system has
// none. With os.O_EXCL it is for devices alone: a file that was made before the file
// system refused would be in the way.
func Open(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, flags|unix.O_DIRECT, 0)
	if errors.Is(err, unix.EINVAL) {
		return os.OpenFile(path, flags, 0)
	}
	return f, err
}

// Able tells whether a device or file can be opened with O_DIRECT, for a program that
// is to be told.
func Able(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
	if err == nil {
		_ = f.Close()
	}
	return err == nil
}

// OpenSized is Open for so many bytes from the beginning, read or written piece by
// piece: without O_DIRECT where the last piece does not end with a block.
func OpenSized(path string, flags int, bytes int64) (*os.File, error) {
	if bytes%Block != 0 {
		return os.OpenFile(path, flags, 0)
	}
	return Open(path, flags)
}

// Buffer gives zeroed memory of that many bytes, with no room behind them, that Go's
// garbage collector takes back.
func Buffer(bytes int) []byte { return aligned(make([]byte, bytes+Block), bytes, Block) }

// hugePage is how large a huge page is, in bytes (x86-64, and arm64 with pages of 4 KiB).
const hugePage = 2 << 20

// Mapped gives zeroed memory of that many bytes, with no room behind them, that goes back
// to the kernel with free, which may be called once: who looks at it after that ends the
// process. From 2 MiB on it lies in huge pages where the kernel has some (madvise(2),
// MADV_HUGEPAGE). A request to a disk has room for so many stretches of memory and no
// more, and each small page is one by itself: of huge ones a request takes several times
// as much, and the kernel has hardly anything to pin.
func Mapped(bytes int) (memory []byte, free func(), err error) {
	start := Block
	if bytes >= hugePage {
		start = hugePage
	}
	all, err := unix.Mmap(-1, 0, bytes+start, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	memory = aligned(all, bytes, start)
	if start == hugePage {
		_ = unix.Madvise(memory, unix.MADV_HUGEPAGE) // small ones do, too
	}
	return memory, func() { _ = unix.Munmap(all) }, nil // fails only for what is not mapped
}

// aligned gives so many bytes of memory, which has as many more as the multiple that
// they are to begin with.
func aligned(memory []byte, bytes, multiple int) []byte {
	shift := int(-uintptr(unsafe.Pointer(&memory[0])) % uintptr(multiple))
	return memory[shift : shift+bytes : shift+bytes]
}

// Fit tells whether memory begins where O_DIRECT wants it.
func Fit(memory []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(memory)))%Block == 0
}
