package backup

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// block is what O_DIRECT wants lengths, places and memory to be multiples of.
const block = 4096

// openSource opens a device or file around the page cache, which a large copy would
// drive everything else out of, and which costs more than all else that is done.
// Invalid when it is shorter than what is wanted of it.
func openSource(path string, bytes int64) (*os.File, error) {
	f, err := openDevice(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	have, err := f.Seek(0, io.SeekEnd)
	if err == nil && have < bytes {
		err = fault.New(fault.Invalid, "what is to be backed up has %d bytes and not %d", have, bytes)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func openDevice(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, flags|unix.O_DIRECT, 0)
	if errors.Is(err, unix.EINVAL) { // a file system that cannot
		return os.OpenFile(path, flags, 0)
	}
	return f, err
}

// readChunk reads a chunk, which is the beginning of the buffer.
func readChunk(from *os.File, buffer, chunk []byte, at int64) error {
	whole := min((len(chunk)+block-1)/block*block, len(buffer))
	n, err := from.ReadAt(buffer[:whole], at)
	if n >= len(chunk) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "what is to be backed up ends at byte %d", at+int64(n))
	}
	return err
}

// aligned gives memory that is fit for O_DIRECT and goes back to the kernel.
func aligned(bytes int) (memory []byte, free func(), err error) {
	memory, err = unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	return memory, func() { _ = unix.Munmap(memory) }, nil // fails only for what is not mapped
}
