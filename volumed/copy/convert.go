package copy

import (
	"context"
	"errors"
	"strconv"
	"time"

	"clinker/internal/direct"
	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/internal/run"
)

// convert has qemu-img write an inspected image of that virtual size, in bytes,
// onto a device that is there already. The format is given, so that nothing is
// guessed. It is written around the page cache, copying through which takes longer
// than converting.
func (c *Copier) convert(ctx context.Context, f Format, scratch string, to Target, virtual int64) error {
	err := c.qemuImg(ctx, virtual, to.Bytes, convertArgs(f, scratch, to)...)
	var exit *run.ExitError
	if errors.As(err, &exit) {
		return fault.Wrap(err, fault.Invalid, "the image is unacceptable: it could not be converted from %s within the limits", f)
	}
	return err
}

func convertArgs(f Format, scratch string, to Target) []string {
	args := []string{"-f", driver(f), "-O", "raw", "-n"}
	if to.Blank {
		args = append(args, "--target-is-zero")
	}
	if direct.Able(to.Path) {
		args = append(args, "-t", "none")
	}
	return append(args, scratch, to.Path)
}

// limited gives the command line of qemu-img convert, bounded in processor time by
// how much it has to convert, in memory, and in how long a file it may write, in
// bytes. What an image makes work without end is ended.
func (c *Copier) limited(convertBytes, writeBytes int64, args ...string) []string {
	return append([]string{"prlimit",
		"--cpu=" + strconv.FormatInt(seconds(c.CPULimit, convertBytes), 10),
		"--as=" + strconv.FormatInt(c.AddressSpaceBytes, 10),
		"--fsize=" + strconv.FormatInt(writeBytes, 10),
		"--core=0", "--", "qemu-img", "convert"}, args...)
}

// qemuImg runs qemu-img convert within limits.
func (c *Copier) qemuImg(ctx context.Context, convertBytes, writeBytes int64, args ...string) error {
	_, err := run.Command{Args: c.limited(convertBytes, writeBytes, args...), Env: oneArena, EndsWithUs: true, Beside: pace.Program}.Output(ctx)
	var exit *run.ExitError
	if errors.As(err, &exit) && (exit.Status == 126 || exit.Status == 127) { // prlimit found nothing to start
		return fault.Wrap(err, fault.Unsupported, "this storage node cannot convert images: qemu-img is not installed there")
	}
	return err
}

// oneArena keeps glibc from reserving address space for each thread.
var oneArena = []string{"MALLOC_ARENA_MAX=1"}

// seconds is the processor time for so many bytes: the limit for each GiB begun.
func seconds(limit time.Duration, bytes int64) int64 {
	return max(1, int64(limit.Seconds())) * max(1, (bytes+1<<30-1)>>30)
}

// driver is QEMU's word for a format.
func driver(f Format) string {
	switch f {
	case VHD:
		return "vpc"
	case Ploop:
		return "parallels"
	}
	return string(f)
}
