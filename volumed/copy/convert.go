package copy

import (
	"context"
	"errors"
	"strconv"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/internal/run"
)

// convert has qemu-img write an inspected image onto a device that is there
// already. The format is given, so that nothing is guessed; limits end a program
// that an image makes work without end.
func (c *Copier) convert(ctx context.Context, f Format, scratch, device string, blank bool) error {
	args := []string{"prlimit",
		"--cpu=" + strconv.Itoa(int(c.CPULimit.Seconds())),
		"--as=" + strconv.FormatInt(c.AddressSpaceBytes, 10),
		"--core=0", "--",
		"qemu-img", "convert", "-f", driver(f), "-O", "raw", "-n"}
	if blank {
		args = append(args, "--target-is-zero")
	}
	args = append(args, scratch, device)
	_, err := run.Command{Args: args, EndsWithUs: true, Beside: pace.Program}.Output(ctx)
	var exit *run.ExitError
	if errors.As(err, &exit) && (exit.Status == 126 || exit.Status == 127) { // prlimit found nothing to start
		return fault.Wrap(err, fault.Unsupported, "this storage node cannot convert images: qemu-img is not installed there")
	}
	if errors.As(err, &exit) {
		return fault.Wrap(err, fault.Invalid, "the image is unacceptable: it could not be converted from %s within the limits", f)
	}
	return err
}

// driver is QEMU's word for a format.
func driver(f Format) string {
	if f == VHD {
		return "vpc"
	}
	return string(f)
}
