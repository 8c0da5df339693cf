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
	sum, want, err := image.digest()
	if err != nil {
		return err
	}
	f, err := newFan(ctx, sum, to)
	if err != nil {
		return err
	}
	seen := &ends{claim: claim}
	if err := f.close(c.fetchInto(f, image, seen, progress)); err != nil {
		return ended(ctx, err)
	}
	if err := verify(sum, want); err != nil {
		return err
	}
	return match(claim, seen.head, seen.tail)
}

// fetchInto gives just as many bytes as promised, whole pieces of them: O_DIRECT wants
// them so. The first are looked at before they are given.
func (c *Copier) fetchInto(to *fan, image Image, seen *ends, progress func(int64)) error {
	from, err := c.fetch(to.ctx, image)
	if err != nil {
		return err
	}
	defer from.Close()
	for done := int64(0); done < image.SizeBytes; {
		p, err := to.take()
		if err != nil {
			return err
		}
		p.bytes = p.memory[:min(pieceBytes, image.SizeBytes-done)]
		if n, err := io.ReadFull(from, p.bytes); err != nil {
			return short(to.ctx, err, done+int64(n), image.SizeBytes)
		}
		if err := seen.look(p.bytes); err != nil {
			return err
		}
		if err := pace.Spend(to.ctx, int64(len(p.bytes))); err != nil {
			return err
		}
		done += int64(len(p.bytes))
		progress(done)
		to.give(p)
	}
	return noMore(from)
}

func noMore(from io.Reader) error {
	n, err := io.ReadFull(from, make([]byte, 1))
	switch {
	case n > 0:
		return unacceptable("it is longer than the image service says")
	case err != io.EOF:
		return err
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

// ends are the first headBytes and the last tailBytes of what goes by.
type ends struct {
	claim      Format
	head, tail []byte
}

// look refuses the first bytes of what is not an image as claimed.
func (e *ends) look(p []byte) error {
	e.tail = append(e.tail, p[max(0, len(p)-tailBytes):]...)
	e.tail = e.tail[max(0, len(e.tail)-tailBytes):]
	if e.head != nil {
		return nil
	}
	e.head = bytes.Clone(p[:min(headBytes, len(p))])
	if e.claim == VHD && detect(e.head) == Raw { // a fixed VHD is told by its end
		return nil
	}
	return match(e.claim, e.head, nil)
}
