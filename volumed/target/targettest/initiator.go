package targettest

import (
	"context"
	"errors"

	"clinker/volumed/target"
)

// ErrRefused is a login that the target did not allow.
var ErrRefused = errors.New("login refused")

// Initiator logs in to targets. One Initiator can be several machines: the
// name is in the Login.
type Initiator interface {
	// Login opens a session. The error is ErrRefused when the target said no.
	Login(ctx context.Context, l Login) (Session, error)
}

// Login says where to, as whom, and with what.
type Login struct {
	Address  target.Address
	IQN      string
	Name     string // the initiator's
	Username string // "" for a login without CHAP
	Password target.Secret
	ReadOnly bool // do not ask for write access
}

// Session is a disk that an initiator has.
type Session interface {
	// Size looks at the disk anew and gives its size in bytes.
	Size(ctx context.Context) (int64, error)
	// Serial gives the unit serial number.
	Serial(ctx context.Context) (string, error)
	// Write fills n bytes from off with a byte, and has them on the target's
	// side when it returns.
	Write(ctx context.Context, off, n int64, fill byte) error
	// Verify reads n bytes from off and compares each with a byte.
	Verify(ctx context.Context, off, n int64, fill byte) error
	// Logout ends the session, whatever state it is in. It may be repeated.
	Logout()
}
