package posix

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// block is what O_DIRECT wants memory, places and lengths to be multiples of; direct
// is how long an object must be to be worth it.
const (
	block       = 4096
	worthDirect = 64 << 10
)

// direct gives an object's memory up to a whole block, when that is fit for going
// around the page cache: copying through it costs more than all else that is done to
// a chunk.
func direct(data []byte, length int) ([]byte, bool) {
	whole := (length + block - 1) / block * block
	if length < worthDirect || cap(data) < whole || uintptr(unsafe.Pointer(unsafe.SliceData(data)))%block != 0 {
		return nil, false
	}
	return data[:whole], true
}

// openDirect is OpenFile with O_DIRECT, without it where the file system has none.
func openDirect(root *os.Root, name string, flags int, mode os.FileMode) (f *os.File, ok bool, err error) {
	f, err = root.OpenFile(name, flags|unix.O_DIRECT, mode)
	if !errors.Is(err, unix.EINVAL) {
		return f, err == nil, err
	}
	f, err = root.OpenFile(name, flags&^os.O_EXCL, mode) // what was refused may have been made
	return f, false, err
}

// put writes all of an object to a new file, and tells whether it went around the page
// cache.
func put(root *os.Root, name string, data []byte) (f *os.File, around bool, err error) {
	const flags = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	whole, fit := direct(data, len(data))
	if fit {
		f, around, err = openDirect(root, name, flags, 0o600)
	} else {
		f, err = root.OpenFile(name, flags, 0o600)
	}
	if err != nil {
		return nil, false, err
	}
	if around {
		data = whole
	}
	_, err = f.Write(data)
	return f, around, err
}

// buffered has an open file read through the page cache again (fcntl(2), F_SETFL).
func buffered(f *os.File) error {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, flags&^unix.O_DIRECT)
	}
	return err
}
