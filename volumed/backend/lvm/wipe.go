package lvm

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"clinker/internal/direct"
	"clinker/internal/fault"
)

// wipePiece is how much is zeroed at once, and what spend is asked for, in bytes.
const wipePiece = 4 << 20

// wipe zeroes the bytes before end, from the end to the beginning, and tells after
// each piece how much is left.
func wipe(ctx context.Context, f *os.File, end int64, spend func(context.Context, int) error, told func(left int64)) error {
	zeroes, free, err := direct.Mapped(wipePiece)
	if err != nil {
		return err
	}
	defer free()
	for end > 0 {
		start := (end - 1) / wipePiece * wipePiece
		if err := spend(ctx, int(end-start)); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fault.Wrap(ctx.Err(), fault.Timeout, "the wipe was cut short")
		}
		if err := zero(f, start, zeroes[:end-start]); err != nil {
			return err
		}
		end = start
		told(end)
	}
	return nil
}

// zero asks the kernel to zero a stretch (BLKZEROOUT, which never leaves it merely
// unmapped), since many disks do that by themselves, and writes it where that is
// not possible.
func zero(f *os.File, start int64, zeroes []byte) error {
	err := onRange(f, unix.BLKZEROOUT, start, int64(len(zeroes)))
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.ENOTTY) && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	_, err = f.WriteAt(zeroes, start)
	return err
}

// discard gives the blocks back to the disk, if it takes them. They are zeroed
// already, hence it does not matter when it does not.
func discard(ctx context.Context, f *os.File, size int64) {
	const stretch = 1 << 30
	for at := int64(0); at < size && ctx.Err() == nil; at += stretch {
		if err := onRange(f, unix.BLKDISCARD, at, min(stretch, size-at)); err != nil {
			slog.DebugContext(ctx, "a disk takes no discards", "device", f.Name(), "error", err)
			return
		}
	}
}

// onRange does one of the block layer's ioctls that take an offset and a length.
func onRange(f *os.File, request uint, start, length int64) error {
	stretch := [2]uint64{uint64(start), uint64(length)}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), uintptr(request), uintptr(unsafe.Pointer(&stretch)))
	if errno != 0 {
		return errno
	}
	return nil
}
