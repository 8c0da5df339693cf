package backup

import (
	"context"

	"clinker/internal/fault"
)

// Request is what is to be backed up.
type Request struct {
	Place    Place
	VolumeID string
	StoredID string // by which the node knows the volume
	Parent   *Place // nil for a full backup
	Metadata map[string]string

	Path  string // of the device or file, which nobody writes to
	Bytes int64  // how much of it
	// Basis is the backend's identity of what is read, "" when it has none.
	Basis string
	// Changes tells where what is read may differ from what had an identity, or from
	// zeroes when that is "". Unsupported when the backend does not know: then all is
	// read. It may be nil.
	Changes func(ctx context.Context, since string) ([]Extent, error)
	// Progress, never nil, is told how many of the bytes are done, holes included.
	Progress func(done int64)
}

// Extent is a stretch of bytes.
type Extent struct{ Start, Bytes int64 }

func (r Request) check() error {
	if r.Bytes <= 0 || r.Bytes > maxBytes {
		return fault.New(fault.Invalid, "%d bytes cannot be backed up", r.Bytes)
	}
	if err := r.Place.Check(); err != nil || r.Parent == nil {
		return err
	}
	if r.Parent.ID == r.Place.ID {
		return fault.New(fault.Invalid, "a backup cannot add to itself")
	}
	return r.Parent.Check()
}

const defaultChunkBytes = 4 << 20

// chunksOf is how large chunks are for a volume: not so small that a table gets long.
func (s *Store) chunksOf(bytes int64) int64 {
	size := s.ChunkBytes
	if size == 0 {
		size = defaultChunkBytes
	}
	for bytes > size*(maxChunks/16) {
		size *= 2
	}
	return size
}
