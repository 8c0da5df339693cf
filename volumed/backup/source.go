package backup

import (
	"errors"
	"io"
	"os"

	"clinker/internal/direct"
	"clinker/internal/fault"
)

// openSource opens a device or file around the page cache, which a large copy would
// drive everything else out of, and which costs more than all else that is done.
// Invalid when it is shorter than what is wanted of it.
func openSource(path string, bytes int64) (*os.File, error) {
	f, err := direct.Open(path, os.O_RDONLY)
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

// readChunk reads a chunk, which is the beginning of the buffer.
func readChunk(from *os.File, buffer, chunk []byte, at int64) error {
	whole := min(direct.Whole(int64(len(chunk))), int64(len(buffer)))
	n, err := from.ReadAt(buffer[:whole], at)
	if n >= len(chunk) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "what is to be backed up ends at byte %d", at+int64(n))
	}
	return err
}
