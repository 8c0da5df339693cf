package backup

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// plan sends the numbers of the chunks that have to be read. The others it enters in
// the table, as they were in the parent, or leaves as holes.
func (c *creation) plan(ctx context.Context, from *os.File, chunks chan<- int64) error {
	changed, inherits, err := c.changes(ctx)
	if err != nil {
		return err
	}
	next := changed
	if changed == nil {
		next = func(at int64) (int64, int64, error) { return nextData(from, at, c.Bytes) }
	}
	size, count := c.manifest.ChunkBytes, c.manifest.chunks()
	for i := int64(0); i < count; {
		start, end, err := next(i * size)
		if err != nil {
			return err
		}
		first, last := min(start/size, count), min((end+size-1)/size, count) // behind the last
		for ; i < first; i++ {
			if inherits && !c.inheritChunk(i) {
				break // it is longer or shorter than it was
			}
			c.advance(c.manifest.lengthOf(i))
		}
		if i < first {
			last = i + 1
		}
		for ; i < last; i++ {
			select {
			case chunks <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// inheritChunk enters a chunk as the parent has it, false when its bytes are others.
func (c *creation) inheritChunk(i int64) bool {
	if i >= c.parent.chunks() || c.parent.lengthOf(i) != c.manifest.lengthOf(i) {
		return false
	}
	e := c.before[i]
	if e.owner != hole {
		c.claim(e.digest)
	}
	c.table[i] = e
	return true
}

// changes asks the backend what it knows without reading: with inherits where the
// source differs from the parent's, else where it differs from zeroes; nil when it
// knows neither.
func (c *creation) changes(ctx context.Context) (next func(int64) (int64, int64, error), inherits bool, err error) {
	if c.Changes == nil {
		return nil, false, nil
	}
	since := ""
	if c.parent != nil && c.parent.ChunkBytes == c.manifest.ChunkBytes {
		since = c.parent.Basis
	}
	extents, err := c.Changes(ctx, since)
	if err != nil && since != "" && ctx.Err() == nil {
		slog.InfoContext(ctx, "what has changed since the last backup is not known, all is compared", "backup", c.Place.ID, "error", err)
		since = ""
		extents, err = c.Changes(ctx, since)
	}
	if err != nil && ctx.Err() == nil {
		if !fault.Is(err, fault.Unsupported) {
			slog.WarnContext(ctx, "what there is to back up is not known, all is read", "backup", c.Place.ID, "error", err)
		}
		return nil, false, nil
	}
	return within(extents, c.Bytes), since != "", err
}

// within finds in extents, which are in order, the first bytes at or behind a place;
// both ends are size when there are none.
func within(extents []Extent, size int64) func(at int64) (start, end int64, err error) {
	i := 0
	return func(at int64) (int64, int64, error) {
		for i < len(extents) && extents[i].Start+extents[i].Bytes <= at {
			i++
		}
		if i == len(extents) || extents[i].Start >= size {
			return size, size, nil
		}
		return max(at, extents[i].Start), min(size, extents[i].Start+extents[i].Bytes), nil
	}
}

// nextData finds the first data at or behind a place (lseek(2), SEEK_DATA); both
// ends are size when there are none. A device, and a file system that knows no holes,
// is data from end to end.
func nextData(f *os.File, at, size int64) (start, end int64, err error) {
	start, err = unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) && at < size {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return size, size, nil
		}
	}
	if err != nil {
		return at, size, nil
	}
	end, err = unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
	return min(start, size), min(end, size), err
}
