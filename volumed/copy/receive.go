package copy

import (
	"bytes"
	"context"
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"clinker/internal/direct"
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
	end, head := &tail{}, []byte(nil)
	all := io.MultiWriter(&counter{ctx: ctx, progress: progress}, end, sum, to)
	err = inPieces(ctx, from, image.SizeBytes, all, func(first []byte) error {
		head = bytes.Clone(first[:min(headBytes, len(first))])
		if claim == VHD && detect(head) == Raw { // a fixed VHD is told by its end
			return nil
		}
		return match(claim, head, nil)
	})
	if err != nil {
		return err
	}
	if err := verify(sum, want); err != nil {
		return err
	}
	return match(claim, head, end.bytes)
}

// inPieces brings just so many bytes to a writer, whole pieces of them: O_DIRECT wants
// them so, and the digest has work while one is written. check may refuse the first
// before it is written.
func inPieces(ctx context.Context, from io.Reader, size int64, to io.Writer, check func(first []byte) error) error {
	piece := direct.Buffer(pieceBytes)
	for done := int64(0); done < size; done += int64(len(piece)) {
		piece = piece[:min(pieceBytes, size-done)]
		if n, err := io.ReadFull(from, piece); err != nil {
			return short(ctx, err, done+int64(n), size)
		}
		if done == 0 {
			if err := check(piece); err != nil {
				return err
			}
		}
		if _, err := to.Write(piece); err != nil {
			return ended(ctx, err)
		}
	}
	n, err := io.ReadFull(from, make([]byte, 1))
	switch {
	case n > 0:
		return unacceptable("it is longer than the image service says")
	case err != io.EOF:
		return ended(ctx, err)
	}
	return nil
}

// short says why there are fewer bytes than promised; a clean end is the reader's own
// io.EOF, or what io.ReadFull makes of it.
func short(ctx context.Context, err error, got, promised int64) error {
	if ctx.Err() == nil && (err == io.EOF || err == io.ErrUnexpectedEOF) {
		return fault.New(fault.Unavailable, "the image service gave %d bytes of the image's %d", got, promised)
	}
	return ended(ctx, err)
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

// counter tells how many bytes have come, when they may be written.
type counter struct {
	ctx      context.Context
	done     int64
	progress func(int64)
}

func (c *counter) Write(p []byte) (int, error) {
	if err := pace.Spend(c.ctx, int64(len(p))); err != nil {
		return 0, err
	}
	c.done += int64(len(p))
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
