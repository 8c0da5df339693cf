package copy

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// alignment is what O_DIRECT wants of memory at most, in bytes.
const alignment = 4096

// aligned gives memory for O_DIRECT.
func aligned(bytes int) []byte {
	b := make([]byte, bytes+alignment)
	shift := (alignment - int(uintptr(unsafe.Pointer(&b[0]))%alignment)) % alignment
	return b[shift : shift+bytes : shift+bytes]
}

// openSource opens what is to be read once from beginning to end. A device is
// read around the page cache: a target in the kernel writes past it.
func openSource(path string) (*os.File, error) {
	flags := os.O_RDONLY
	if isDevice(path) {
		flags |= unix.O_DIRECT
	}
	f, err := os.OpenFile(path, flags, 0)
	if err == nil {
		_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_SEQUENTIAL)
	}
	return f, err
}

func isDevice(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeDevice != 0
}
