package backup

import (
	"context"
	"regexp"

	"clinker/internal/fault"
)

// Driver keeps objects in a store. A key is made of parts with slashes between
// them; all before the last slash is the object's folder. A driver checks no parts:
// CheckContainer and the ids' form see to it that none is "..", but it must not
// leave its place either way. Its methods may be called by many goroutines and by
// several nodes at once.
//
// Every method may be repeated after an error, a timeout or a crash. Errors are
// faults: NotFound, Conflict, NoSpace, Unavailable, Timeout, Forbidden; anything
// else is Internal.
type Driver interface {
	// Put stores an object whole or not at all, and takes the place of one of the
	// same key. It is durable after Flush of its folder; before that a power cut may
	// leave anything under its key. Memory behind the data, up to its capacity, may be
	// read, and must not be written to meanwhile; nothing of it is looked at when Put
	// has returned, whatever the error.
	Put(ctx context.Context, key string, data []byte) error

	// Create is Put for a key that there is not: Conflict when there is, and then
	// that stays as it is. It is durable when it returns.
	Create(ctx context.Context, key string, data []byte) error

	// Get reads an object into a buffer, whose capacity bounds it: Invalid for one
	// that is longer. NotFound when there is none. Nothing is written to the buffer
	// when Get has returned, whatever the error.
	Get(ctx context.Context, key string, buffer []byte) ([]byte, error)

	// List visits the objects that lie directly in a folder, in the order of their
	// keys and beginning after one ("": with the first), until visit returns false.
	// There are none in a folder that is not there.
	List(ctx context.Context, folder, after string, visit func(Object) bool) error

	// Delete takes objects of one folder away. No error for those that are not there.
	Delete(ctx context.Context, keys []string) error

	// Flush returns when all that was stored in a folder outlives a power cut.
	Flush(ctx context.Context, folder string) error
}

// Forgetter is a Driver that holds on to the place where it found its store first.
type Forgetter interface {
	// Forget has the next call look for it anew: what was found was not the store, and
	// may be the directory below a mount that is still to come. No other call may be
	// under way.
	Forget()
}

// Follower is a Driver that holds on to the place where it found its store, which may
// get another directory while it is used: it is restored from a copy, or mounted again.
type Follower interface {
	// Follow does nothing while the place is what it was. Else it goes over to what is
	// there now if is has no error for the object of that key there; Unavailable when
	// there is none. Other calls may be under way.
	Follow(key string, is func(object []byte) error) error
}

// Object is something that a store holds.
type Object struct {
	Key   string
	Bytes int64
}

var container = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)

// CheckContainer gives Invalid for what cannot name a container.
func CheckContainer(name string) error {
	if !container.MatchString(name) {
		return fault.New(fault.Invalid, "a container's name has 1 to 255 letters, digits, dots, dashes and underscores, and begins with a letter or digit")
	}
	return nil
}
