package lvm

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// store builds what the kernel writes for a snapshot that has copied so many
// chunks; every data chunk is full of 0xff.
func store(size int64, chunk, copied int) []byte {
	b := make([]byte, size)
	for i, word := range []uint32{storeMagic, 1, storeVersion, uint32(chunk / storeSector)} {
		binary.LittleEndian.PutUint32(b[4*i:], word)
	}
	exceptions := chunk / exceptionBytes
	for n := range copied {
		area := chunk * (1 + n/exceptions*(exceptions+1))
		data := area + chunk*(1+n%exceptions)
		binary.LittleEndian.PutUint64(b[area+exceptionBytes*(n%exceptions):], uint64(n+1000))
		binary.LittleEndian.PutUint64(b[area+exceptionBytes*(n%exceptions)+8:], uint64(data/chunk))
		copy(b[data:data+chunk], bytes.Repeat([]byte{0xff}, chunk))
	}
	return b
}

// TestUsedBytes: all that the kernel wrote lies in what is to be wiped, and while
// that is being wiped the rest of it still does.
func TestUsedBytes(t *testing.T) {
	t.Parallel()
	const size, chunk = 5 << 20, 4096
	most := int(storeCapacity(size, chunk))
	rapid.Check(t, func(t *rapid.T) {
		copied := rapid.IntRange(0, most).Draw(t, "copied")
		b := store(size, chunk, copied)
		block := make([]byte, chunk)
		used := usedBytes(bytes.NewReader(b), size, 0, block)
		left := rapid.Int64Range(0, used).Draw(t, "left")
		clear(b[left:used])
		again := usedBytes(bytes.NewReader(b), size, 0, block)
		if bytes.Contains(b[again:], []byte{0xff}) {
			t.Fatalf("%d chunks copied: %d bytes to be wiped, wiped down to %d, then %d: something is left beyond",
				copied, used, left, again)
		}
	})
}

// storeCapacity is how many chunks fit into a store.
func storeCapacity(size, chunk int64) int64 {
	exceptions := chunk / exceptionBytes
	chunks := size/chunk - 1
	return chunks/(exceptions+1)*exceptions + max(0, chunks%(exceptions+1)-1)
}

// beginning is a store of which only the beginning is not blank.
type beginning []byte

func (b beginning) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	copy(p, b[min(at, int64(len(b))):])
	return len(p), nil
}

// TestUsedLittle: a large store that was hardly used takes little time to wipe.
func TestUsedLittle(t *testing.T) {
	t.Parallel()
	const size = 1 << 40
	used := usedBytes(beginning(store(2<<20, 4096, 300)), size, margin, make([]byte, 4096))
	if used < margin || used > margin+4<<20 {
		t.Errorf("%d of %d bytes are to be wiped after 300 chunks", used, size)
	}
}

func TestUsedUnknown(t *testing.T) {
	t.Parallel()
	const size = 1 << 40
	good := store(1<<20, 4096, 1)
	for name, b := range map[string][]byte{
		"zeroes":          make([]byte, 4096),
		"another version": bytes.Replace(good, []byte{1, 0, 0, 0, 8, 0}, []byte{2, 0, 0, 0, 8, 0}, 1),
		"overflowed":      bytes.Replace(good, []byte("SnAp\x01"), []byte("SnAp\x00"), 1),
		"chunk of 0":      bytes.Replace(good, []byte{1, 0, 0, 0, 8, 0}, []byte{1, 0, 0, 0, 0, 0}, 1),
	} {
		if used := usedBytes(beginning(b), size, margin, make([]byte, 4096)); used != size {
			t.Errorf("%s: %d bytes to be wiped, want all %d", name, used, size)
		}
	}
	if used := usedBytes(bytes.NewReader(good[:100]), size, margin, make([]byte, 4096)); used != size {
		t.Errorf("unreadable: %d bytes to be wiped, want all %d", used, size)
	}
}

func FuzzUsedBytes(f *testing.F) {
	f.Add(store(1<<20, 4096, 3), int64(1<<20))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		if size <= 0 {
			return
		}
		if used := usedBytes(bytes.NewReader(b), size, 0, make([]byte, 4096)); used < 0 || used > size {
			t.Errorf("%d of %d bytes", used, size)
		}
	})
}
