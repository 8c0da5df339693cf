package file

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/internal/pace"
)

// chunk is how much is copied between two looks at the context, in bytes.
const chunk = 4 << 20

// copyExtents copies the first size bytes but leaves holes as holes (lseek(2),
// SEEK_DATA). It tells progress how far it is in the file, holes included. The target must
// read as zeroes.
func copyExtents(ctx context.Context, to, from *os.File, size int64, progress func(int64)) error {
	for at := int64(0); at < size; {
		start, end, err := nextData(from, at, size)
		if err != nil {
			return err
		}
		for at = start; at < end; {
			if ctx.Err() != nil {
				return fault.Wrap(ctx.Err(), fault.Timeout, "the copy was cut short")
			}
			if err := pace.Spend(ctx, min(chunk, end-at)); err != nil {
				return err
			}
			n, err := copyRange(to, from, at, min(chunk, end-at))
			if err != nil {
				return err
			}
			at += n
			progress(at)
		}
	}
	return nil
}

// nextData finds the first stretch of data at or after at; both ends are size
// when there is none.
func nextData(f *os.File, at, size int64) (start, end int64, err error) {
	start, err = unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return size, size, nil
	}
	if err != nil {
		return at, size, nil // a file system that knows no holes
	}
	end, err = unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
	return min(start, size), min(end, size), err
}

// copyRange copies up to n bytes in the kernel (copy_file_range(2)), and
// through memory where the kernel cannot.
func copyRange(to, from *os.File, at, n int64) (int64, error) {
	readAt, writeAt := at, at
	done, err := unix.CopyFileRange(int(from.Fd()), &readAt, int(to.Fd()), &writeAt, int(n), 0)
	if err == nil && done > 0 {
		return int64(done), nil
	}
	if err != nil && !cannotReflink(err) {
		return 0, err
	}
	copied, err := io.Copy(io.NewOffsetWriter(to, at), io.NewSectionReader(from, at, n))
	if err == nil && copied == 0 {
		err = io.ErrUnexpectedEOF // the source has become shorter
	}
	return copied, err
}
