package backup

import (
	"context"
	"os"

	"clinker/internal/direct"
	"clinker/internal/pace"
)

// work reads chunks and stores those that are not known.
func (c *creation) work(ctx context.Context, from *os.File, chunks <-chan int64) error {
	buffer, free, err := direct.Mapped(int(c.manifest.ChunkBytes))
	if err != nil {
		return err
	}
	defer free()
	codec, err := c.keys.newCodec(c.manifest.ChunkBytes, c.Compress)
	if err != nil {
		return err
	}
	defer codec.close()
	for i := range chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk := buffer[:c.manifest.lengthOf(i)]
		if err := pace.Spend(ctx, int64(len(chunk))); err != nil {
			return err
		}
		if err := readChunk(from, buffer, chunk, i*c.manifest.ChunkBytes); err != nil {
			return err
		}
		if err := c.keep(ctx, codec, i, chunk); err != nil {
			return err
		}
		c.advance(int64(len(chunk)))
	}
	return nil
}

// keep enters a chunk in the table, and stores it unless it is known.
func (c *creation) keep(ctx context.Context, codec *codec, i int64, chunk []byte) error {
	if blank(chunk) {
		return nil // a hole, as the table began
	}
	d := sum(codec.sum, chunk)
	owner, err := c.store(ctx, codec, d, chunk)
	c.table[i] = entry{digest: d, owner: owner} // nobody else has this chunk
	return err
}

// store sees to it that there is an object of those bytes, and tells whose it is.
func (c *creation) store(ctx context.Context, codec *codec, d digest, chunk []byte) (int32, error) {
	o, first := c.claim(d)
	if !first {
		if o.ready == nil {
			return o.owner, nil
		}
		select {
		case <-o.ready:
			return o.owner, o.err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	defer close(o.ready)
	if o.found && c.whole(ctx, codec, d, int64(len(chunk))) {
		return 0, nil
	}
	data := codec.encode(chunk)
	o.bytes = int64(len(data))
	o.err = c.Driver.Put(ctx, c.Place.key(d), data)
	return 0, o.err
}

// claim gives the object of a digest; first: the caller is to store it.
func (c *creation) claim(d digest) (o *object, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o = c.known[d]
	if o == nil {
		o = &object{}
		c.known[d] = o
		first = true
	}
	if first = first || o.found && o.ready == nil; first {
		o.ready = make(chan struct{})
	}
	o.used = true
	return o, first
}

// whole tells whether the store has an object as it should be.
func (c *creation) whole(ctx context.Context, codec *codec, d digest, length int64) bool {
	c.scratch.Lock()
	defer c.scratch.Unlock()
	if int64(cap(c.read)) < c.manifest.ChunkBytes {
		c.read = make([]byte, c.manifest.ChunkBytes)
	}
	_, err := c.fetch(ctx, codec, c.Place, d, c.read, length)
	return err == nil
}
