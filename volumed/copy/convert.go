package copy

import (
	"context"
	"encoding/json"
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
	_, err := c.qemuImg(ctx, virtual, to.Bytes, convertArgs(f, scratch, to)...)
	var exit *run.ExitError
	if errors.As(err, &exit) {
		return fault.Wrap(err, fault.Invalid, "the image is unacceptable: it could not be converted from %s within the limits", f)
	}
	return err
}

func convertArgs(f Format, scratch string, to Target) []string {
	args := []string{"convert", "-f", driver(f), "-O", "raw", "-n"}
	if to.Blank {
		args = append(args, "--target-is-zero")
	}
	if direct.Able(to.Path) {
		args = append(args, "-t", "none")
	}
	return append(args, scratch, to.Path)
}

// measured gives an inspected image's virtual size in bytes as qemu-img finds it,
// which is how much convert writes. A header may say another: of most VHDs the
// geometry counts and not the size beside it (QEMU's block/vpc.c).
func (c *Copier) measured(ctx context.Context, f Format, scratch string) (int64, error) {
	output, err := c.qemuImg(ctx, 0, 0, "info", "-f", driver(f), "--output=json", scratch)
	var exit *run.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	var has struct {
		VirtualSize int64 `json:"virtual-size"`
	}
	if err != nil || json.Unmarshal(output, &has) != nil {
		return 0, fault.Wrap(err, fault.Invalid, "the image is unacceptable: it could not be read as %s within the limits", f)
	}
	return has.VirtualSize, bounded(has.VirtualSize)
}

// limited gives a command line of qemu-img, bounded in processor time by
// how much it has to convert, in memory, and in how long a file it may write, in
// bytes. What an image makes work without end is ended.
func (c *Copier) limited(convertBytes, writeBytes int64, args ...string) []string {
	return append([]string{"prlimit",
		"--cpu=" + strconv.FormatInt(seconds(c.CPULimit, convertBytes), 10),
		"--as=" + strconv.FormatInt(c.AddressSpaceBytes, 10),
		"--fsize=" + strconv.FormatInt(writeBytes, 10),
		"--core=0", "--", "qemu-img"}, args...)
}

// qemuImg runs qemu-img within limits, and gives what it prints.
func (c *Copier) qemuImg(ctx context.Context, convertBytes, writeBytes int64, args ...string) ([]byte, error) {
	output, err := run.Command{Args: c.limited(convertBytes, writeBytes, args...), Env: oneArena, EndsWithUs: true, Beside: pace.Program}.Output(ctx)
	var exit *run.ExitError
	if errors.As(err, &exit) && (exit.Status == 126 || exit.Status == 127) { // prlimit found nothing to start
		return nil, fault.Wrap(err, fault.Unsupported, "this storage node cannot convert images: qemu-img is not installed there")
	}
	return output, err
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
