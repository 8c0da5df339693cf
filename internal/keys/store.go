package keys

import (
	"context"
	"log/slog"
)

// Bearer is on whose behalf a store is asked: the bearer of a token, or Clinker
// itself.
type Bearer struct {
	Token     string // the caller's, as they sent it
	ProjectID string // whose keys are meant; "" for Clinker's own
	UserID    string
}

// Service is Clinker itself, with keys of its own that no project sees.
var Service = Bearer{}

// IsService tells whether it is Clinker itself.
func (b Bearer) IsService() bool { return b == Service }

// LogValue leaves the token out of logs.
func (b Bearer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("project", b.ProjectID), slog.String("user", b.UserID))
}

// String leaves the token out of error texts.
func (b Bearer) String() string { return "project " + b.ProjectID + ", user " + b.UserID }

// GoString leaves the token out of %#v.
func (b Bearer) GoString() string { return b.String() }

// Store is a key manager. Its methods may be called by many goroutines at once.
// Errors are faults: NotFound; Forbidden when the bearer may not; Unavailable when
// the store does not answer: then the outcome is unknown, and Reserve may have left
// an empty place behind, while all else can be repeated.
type Store interface {
	// Reserve makes a place for a key in the bearer's project, and gives the id
	// that the key will have. There is no key yet: Key says NotFound.
	Reserve(ctx context.Context, b Bearer, s Spec) (id string, err error)

	// Fill puts a key into a place, once. NotFound when there is no such place;
	// Conflict when it is full.
	Fill(ctx context.Context, b Bearer, id string, k Key) error

	// Key reads a key. NotFound or Forbidden when it is another project's.
	Key(ctx context.Context, b Bearer, id string) (Key, error)

	// Delete takes a key or an empty place away; no error when there is none.
	Delete(ctx context.Context, b Bearer, id string) error

	// Trusted tells whether Service may read and delete every project's keys. In a
	// store that is not, what Clinker needs of a key later it must keep for itself
	// while the project's own token is at hand.
	Trusted() bool
}
