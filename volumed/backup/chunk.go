package backup

import (
	"bytes"
	"context"
	"hash"

	"github.com/klauspost/compress/zstd"

	"clinker/internal/direct"
	"clinker/internal/fault"
)

// An object that is as long as its chunk is the chunk; a shorter one is compressed.
// Nothing else is in it, so that a chunk can be stored from and read into the memory
// that its volume is read into and written from, in whole blocks.

// incompressible is the share of a chunk that compression must save, or else the
// chunk is stored as it is; probeBytes of its middle are tried first.
const (
	worthwhile = 16 // one part in so many
	probeBytes = 64 << 10
)

// codec makes objects of chunks and back. It is one worker's, and so is its memory.
type codec struct {
	sum     hash.Hash
	encoder *zstd.Encoder // nil: nothing is compressed
	decoder *zstd.Decoder
	object  []byte
	free    func() // of object
}

// newCodec gives one for chunks of that many bytes, which close ends.
func (k keys) newCodec(chunkBytes int64, compress bool) (_ *codec, err error) {
	c := &codec{sum: k.chunks()}
	if c.object, c.free, err = direct.Mapped(int(chunkBytes)); err != nil {
		return nil, err
	}
	c.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(chunkBytes)),
		zstd.WithDecoderMaxWindow(uint64(max(chunkBytes, 1<<20))), zstd.IgnoreChecksum(true)) // the digest is better
	if err == nil && compress {
		c.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(int(min(chunkBytes, 4<<20))))
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *codec) close() {
	if c.decoder != nil {
		c.decoder.Close()
	}
	if c.encoder != nil {
		_ = c.encoder.Close() // writes nowhere
	}
	c.free()
}

// encode gives the object for a chunk; it is good until the next call, and as long as
// the chunk is.
func (c *codec) encode(chunk []byte) []byte {
	if c.encoder == nil || !c.compressible(chunk) {
		return chunk
	}
	if object := c.encoder.EncodeAll(chunk, c.object[:0]); len(object) <= len(chunk)-max(1, len(chunk)/worthwhile) {
		return object
	}
	return chunk
}

// compressible tries a piece of the middle: what is encrypted or compressed
// already is so all over.
func (c *codec) compressible(chunk []byte) bool {
	if len(chunk) <= 4*probeBytes {
		return true
	}
	saved := 0
	for _, at := range []int{0, len(chunk) / 2, len(chunk) - probeBytes/4} {
		probe := chunk[at : at+probeBytes/4]
		saved += len(probe) - len(c.encoder.EncodeAll(probe, c.object[:0]))
	}
	return saved > 0
}

// decode gives the chunk that an object holds, of exactly length bytes: the object, or
// in a buffer of that capacity; damaged when its digest is another.
func (c *codec) decode(object []byte, want digest, into []byte, length int64) ([]byte, error) {
	chunk := object
	if int64(len(object)) < length {
		var err error
		if chunk, err = c.decoder.DecodeAll(object, into[:0:length]); err != nil {
			return nil, damaged("an object of it cannot be decompressed")
		}
	}
	if int64(len(chunk)) != length {
		return nil, damaged("an object of it has not the right length")
	}
	if sum(c.sum, chunk) != want {
		return nil, damaged("an object of it does not hold what was stored")
	}
	return chunk, nil
}

// fetch reads and verifies the chunk of a digest. Unavailable and the like when
// the store is at fault, Invalid when the backup is.
func (s *Store) fetch(ctx context.Context, c *codec, from Place, want digest, into []byte, length int64) ([]byte, error) {
	object, err := s.Driver.Get(ctx, from.key(want), c.object[:0])
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, damaged("an object of it is missing")
	case fault.Is(err, fault.Invalid):
		return nil, damaged("an object of it is too long")
	case err != nil:
		return nil, err
	}
	return c.decode(object, want, into, length)
}

var zeroes [64 << 10]byte

// blank tells whether there are only zeroes.
func blank(data []byte) bool {
	for len(data) > len(zeroes) {
		if !bytes.Equal(data[:len(zeroes)], zeroes[:]) {
			return false
		}
		data = data[len(zeroes):]
	}
	return bytes.Equal(data, zeroes[:len(data)])
}
