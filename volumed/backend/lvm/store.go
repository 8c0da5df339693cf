package lvm

import (
	"encoding/binary"
	"io"
	"sort"
)

// The store of a thick snapshot, as the kernel writes it (dm-snap-persistent.c):
// chunk 0 is the header; then areas follow, each one chunk of exceptions and as
// many data chunks as that has exceptions. Chunks are used in this order, one
// after another, and an area's exceptions are zeroed before it is begun.
const (
	chunkBytes     = 4096
	storeMagic     = 0x70416e53 // "SnAp"
	storeVersion   = 1
	exceptionBytes = 16
	storeSector    = 512
	// margin covers chunks that were copied but not yet entered when the power
	// failed: the kernel copies at most 2048 at once (snapshot_cow_threshold).
	margin = 64 << 20
)

// usedBytes tells how much of a split-off store, from its beginning, a snapshot
// may have written to, with beyond added; all of size when the store cannot be
// understood. It reads whole chunks at whole chunks, so that r may be a device
// opened with O_DIRECT.
//
// The store must be wiped from its end to its beginning: then what is left of
// it still tells how much of it is left.
func usedBytes(r io.ReaderAt, size, beyond int64, block []byte) int64 {
	chunk, ok := storeChunk(r, block)
	if !ok {
		return size
	}
	area := chunk + chunk/exceptionBytes*chunk // an area's exceptions and data
	failed := false
	begun := sort.Search(int((size-chunk+area-1)/area), func(n int) bool {
		if _, err := r.ReadAt(block, chunk+int64(n)*area); err != nil {
			failed = true
		}
		return binary.LittleEndian.Uint64(block[8:]) == 0 // the first exception's new chunk
	})
	if failed {
		return size
	}
	return min(size, chunk+int64(begun+1)*area+beyond)
}

// storeChunk reads the header; false when it is none of a store in good order.
func storeChunk(r io.ReaderAt, block []byte) (bytes int64, ok bool) {
	if _, err := r.ReadAt(block, 0); err != nil {
		return 0, false
	}
	word := func(n int) uint32 { return binary.LittleEndian.Uint32(block[4*n:]) }
	bytes = int64(word(3)) * storeSector
	power := bytes > 0 && bytes&(bytes-1) == 0
	return bytes, word(0) == storeMagic && word(1) == 1 && word(2) == storeVersion && power &&
		bytes >= chunkBytes && bytes <= 1<<20
}
