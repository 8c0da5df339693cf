package move

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/zeebo/xxh3"
)

const (
	// blockBytes is the piece that is not sent when it is all zeroes; a thin
	// pool's chunks are no smaller.
	blockBytes = 64 << 10
	// chunkBytes is what is asked for at once: as many blocks as a word has bits.
	chunkBytes = 64 * blockBytes
)

// zeroMap has a bit for each block of a chunk, the first block's the lowest: set
// when the block reads as zeroes.
type zeroMap uint64

// allZeroes is the map of a chunk of that many bytes without data.
func allZeroes(length int) zeroMap { return ^zeroMap(0) >> (64 - blocks(length)) }

var zeroes [blockBytes]byte

// zeroesOf looks for blocks of zeroes in a chunk; the last block may be short.
func zeroesOf(chunk []byte) (z zeroMap) {
	for i := 0; i*blockBytes < len(chunk); i++ {
		block := blockOf(chunk, i, i+1)
		if bytes.Equal(block, zeroes[:len(block)]) {
			z |= 1 << i
		}
	}
	return z
}

// blocks is how many blocks a chunk of that many bytes has.
func blocks(length int) int { return (length + blockBytes - 1) / blockBytes }

// blockOf gives the bytes of the blocks from one number up to another.
func blockOf(chunk []byte, from, to int) []byte {
	return chunk[from*blockBytes : min(to*blockBytes, len(chunk))]
}

// runs gives the stretches of blocks that are alike, in order.
func (z zeroMap) runs(length int, each func(from, to int, zero bool) error) error {
	for from, end := 0, blocks(length); from < end; {
		rest := uint64(z) >> from
		zero := rest&1 == 1
		same := bits.TrailingZeros64(rest)
		if zero {
			same = bits.TrailingZeros64(^rest)
		}
		to := min(from+same, end)
		if err := each(from, to, zero); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// digest is what identifies a chunk's content, or a whole volume's: XXH3 of 128 bits.
// It finds what memory, disks and mistakes do; that nobody else has touched the
// bytes is TLS's to prove (ADR 17).
type digest [16]byte

// digestOf is over where the zeroes are, and over the rest. Both sides work it
// out: the lender from what it has read, the puller from what has arrived.
func digestOf(z zeroMap, chunk []byte) digest {
	sum := xxh3.New()
	number(sum, uint64(z))
	number(sum, uint64(len(chunk)))
	_ = z.runs(len(chunk), func(from, to int, zero bool) error {
		if !zero {
			_, _ = sum.Write(blockOf(chunk, from, to)) // never fails (hash.Hash)
		}
		return nil
	})
	return sum.Sum128().Bytes()
}

// wholeOf is the digest of a volume of that many bytes: over its chunks' digests
// in their order.
func wholeOf(bytes int64, chunks []digest) digest {
	sum := xxh3.New()
	number(sum, uint64(bytes))
	for i := range chunks {
		_, _ = sum.Write(chunks[i][:])
	}
	return sum.Sum128().Bytes()
}

func number(sum *xxh3.Hasher, n uint64) {
	var word [8]byte
	binary.BigEndian.PutUint64(word[:], n)
	_, _ = sum.Write(word[:])
}

// chunks is how many chunks a volume of that many bytes has.
func chunks(bytes int64) int64 { return (bytes + chunkBytes - 1) / chunkBytes }

// extent is where a chunk is.
func extent(index, bytes int64) (at int64, length int) {
	at = index * chunkBytes
	return at, int(min(chunkBytes, bytes-at))
}
