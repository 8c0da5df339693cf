package copy

import (
	"hash"
	"slices"
)

// digest is a hash that works beside whoever writes to it: hashing an image takes
// as long as fetching it.
type digest struct {
	hash.Hash
	empty, full chan []byte
	done        chan struct{}
}

// newDigest begins; Sum must be called in the end, or stop.
func newDigest(h hash.Hash) *digest {
	d := &digest{Hash: h, empty: make(chan []byte, pieces), full: make(chan []byte, pieces), done: make(chan struct{})}
	for range pieces {
		d.empty <- nil
	}
	full := d.full
	go func() {
		defer close(d.done)
		for piece := range full {
			_, _ = d.Hash.Write(piece) // never fails (hash.Hash)
			d.empty <- piece
		}
	}()
	return d
}

// Write keeps a copy, and waits while pieces of them are waiting.
func (d *digest) Write(p []byte) (int, error) {
	d.full <- append(slices.Grow((<-d.empty)[:0], len(p)), p...)
	return len(p), nil
}

// stop waits until all that was written is hashed; it may be called twice.
func (d *digest) stop() {
	if d.full != nil {
		close(d.full)
		d.full = nil
	}
	<-d.done
}

// Sum implements hash.Hash; nothing may be written after it.
func (d *digest) Sum(b []byte) []byte {
	d.stop()
	return d.Hash.Sum(b)
}
