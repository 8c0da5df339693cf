package backup

import (
	"bytes"
	"context"
	"hash"

	"github.com/klauspost/compress/zstd"

	"clinker/internal/direct"
	"clinker/internal/fault"
)

// How an object's bytes are to be read: its first byte.
const (
	plain      = 0
	compressed = 1
)

// overhead is what an object may be longer than what is in it: the first byte. Its
// memory has room for a whole block more, so that a driver can go around the page
// cache.
const overhead = 1

// incompressible is the share of a chunk that compression must save, or else the
// chunk is stored as it is; probeBytes of its middle are tried first.
const (
	worthwhile = 16 // one part in so many
	probeBytes = 64 << 10
)

// codec makes objects of chunks and back. It is one worker's, and so are its
// buffers.
type codec struct {
	sum     hash.Hash
	encoder *zstd.Encoder // nil: nothing is compressed
	decoder *zstd.Decoder
	object  []byte
}

// newCodec gives one for chunks of that many bytes.
func (k keys) newCodec(chunkBytes int64, compress bool) (*codec, error) {
	c := &codec{sum: k.chunks(), object: make([]byte, 0, chunkBytes+direct.Block)}
	var err error
	c.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(chunkBytes)),
		zstd.WithDecoderMaxWindow(uint64(max(chunkBytes, 1<<20))), zstd.IgnoreChecksum(true)) // the digest is better
	if err == nil && compress {
		c.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(int(min(chunkBytes, 4<<20))))
	}
	return c, err
}

func (c *codec) close() {
	c.decoder.Close()
	if c.encoder != nil {
		_ = c.encoder.Close() // writes nowhere
	}
}

// encode gives the object for a chunk; it is good until the next call.
func (c *codec) encode(chunk []byte) []byte {
	if c.encoder != nil && c.compressible(chunk) {
		c.object = c.encoder.EncodeAll(chunk, append(c.object[:0], compressed))
		if len(c.object) <= len(chunk)-len(chunk)/worthwhile {
			return c.object
		}
	}
	c.object = append(append(c.object[:0], plain), chunk...)
	return c.object
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
		c.object = c.encoder.EncodeAll(probe, c.object[:0])
		saved += len(probe) - len(c.object)
	}
	return saved > 0
}

// decode gives the chunk that an object holds, of exactly want bytes, in a buffer
// of that capacity; damaged when its digest is another.
func (c *codec) decode(object []byte, want digest, into []byte, length int64) ([]byte, error) {
	if len(object) < overhead || int64(cap(into)) < length {
		return nil, damaged("an object of it is empty")
	}
	var chunk []byte
	switch payload := object[overhead:]; object[0] {
	case plain:
		chunk = payload
	case compressed:
		var err error
		if chunk, err = c.decoder.DecodeAll(payload, into[:0:length]); err != nil {
			return nil, damaged("an object of it cannot be decompressed")
		}
	default:
		return nil, damaged("an object of it is of no kind that is known")
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
