package backend

import "context"

// Tracker is a Backend that may know, without reading them, which bytes of a
// snapshot are others than another's: a thin pool does.
type Tracker interface {
	// Tracks tells whether the pool does at all. Its snapshots cost little then.
	Tracks() bool

	// Identity gives what nothing but this volume or snapshot has ever had, nor will
	// have. NotFound when there is none of that name.
	Identity(ctx context.Context, name string) (string, error)

	// Changes gives, in order, the stretches in which a snapshot may differ from what
	// has the identity since, or from zeroes when that is "". Neither is written to
	// meanwhile. Unsupported when the pool cannot tell: everything may differ then.
	Changes(ctx context.Context, since, name string) ([]Stretch, error)
}

// Stretch is a part of a volume, in bytes.
type Stretch struct{ Start, Bytes int64 }
