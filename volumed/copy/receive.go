package copy

import (
	"bytes"
	"context"
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/internal/pace"
)

// receive brings all of an image's bytes to a writer, after the first of them have
// shown that it is what it is said to be; when it returns nil they are those that
// were promised. The writer may have got some that were not.
func (c *Copier) receive(ctx context.Context, image Image, claim Format, to io.Writer, progress func(int64)) error {
	plain, want, err := image.digest()
	if err != nil {
		return err
	}
	sum := newDigest(plain)
	defer sum.stop()
	from, err := c.fetch(ctx, image)
	if err != nil {
		return err
	}
	defer from.Close()
	// One byte more than promised shows that there is more.
	bytesOf := io.TeeReader(io.LimitReader(from, image.SizeBytes+1), sum)
	head := make([]byte, min(headBytes, image.SizeBytes))
	if _, err := io.ReadFull(bytesOf, head); err != nil {
		return ended(ctx, err)
	}
	if fixed := claim == VHD && detect(head) == Raw; !fixed { // that is told by its end
		if err := match(claim, head, nil); err != nil {
			return err
		}
	}
	end := &tail{}
	all := io.MultiReader(bytes.NewReader(head), bytesOf)
	buffer := make([]byte, 1<<20)
	got, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(&counter{ctx: ctx, limit: image.SizeBytes, progress: progress}, end, to)}, all, buffer)
	if err != nil {
		return ended(ctx, err)
	}
	if got != image.SizeBytes {
		return fault.New(fault.Unavailable, "the image service gave %d bytes of the image's %d", got, image.SizeBytes)
	}
	if err := verify(sum, want); err != nil {
		return err
	}
	return match(claim, head, end.bytes)
}

// ended says why the bytes stopped coming.
func ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return lost(err)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return fault.Wrap(err, fault.NoSpace, "there is not enough room for the image on the storage node")
	}
	return err
}

// counter tells how many bytes have come, waits until they may be written, and
// ends what brings too many.
type counter struct {
	ctx         context.Context
	limit, done int64
	progress    func(int64)
}

func (c *counter) Write(p []byte) (int, error) {
	if c.done += int64(len(p)); c.done > c.limit {
		return 0, unacceptable("it is longer than the image service says")
	}
	if err := pace.Spend(c.ctx, int64(len(p))); err != nil {
		return 0, err
	}
	c.progress(c.done)
	return len(p), nil
}

// tail keeps the last tailBytes.
type tail struct{ bytes []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.bytes = append(t.bytes, p[max(0, len(p)-tailBytes):]...)
	t.bytes = t.bytes[max(0, len(t.bytes)-tailBytes):]
	return len(p), nil
}
