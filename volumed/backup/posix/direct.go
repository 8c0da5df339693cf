package posix

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/direct"
)

// worthDirect is how long an object must be for going around the page cache.
const worthDirect = 64 << 10

// wholeBlocks gives an object's memory up to a whole block, when that is fit for going
// around the page cache: copying through it costs more than all else that is done to
// a chunk.
func wholeBlocks(data []byte, length int) ([]byte, bool) {
	whole := int(direct.Whole(int64(length)))
	if length < worthDirect || cap(data) < whole || !direct.Fit(data) {
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
	whole, fit := wholeBlocks(data, len(data))
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
