package target

import (
	"context"
	"log/slog"
)

// Target exports block devices and files. Its methods may be called by many
// goroutines at once; the caller sees to it that two calls never work on the
// same IQN at the same time. Every method may be repeated after an error, a
// timeout or a crash, and then finishes what was begun.
type Target interface {
	// Apply makes the export exist exactly as described: grants that are
	// not in the list are taken away and their sessions cut, the others'
	// sessions go on undisturbed. It also makes the initiators' next rescan
	// see the device's present size.
	Apply(ctx context.Context, e Export) (Address, error)

	// Remove takes the whole export away, sessions included. No error when
	// there is none.
	Remove(ctx context.Context, iqn string) error

	// List tells what is exported at this moment under the prefix that this
	// target was given, whoever made it. Passwords are left out.
	List(ctx context.Context) ([]Export, error)

	// Traits tells what kind of target it is; that never changes.
	Traits() Traits
}

// Traits are what the node, types and hosts need to know of a kind of target.
type Traits struct {
	StorageProtocol  string // as types' extra specs ask for it: iSCSI
	DriverVolumeType string // Cinder's, by which a host knows how to log in: iscsi
	InKernel         bool   // the kernel itself reads and writes the devices, and can limit that
}

// Export is one volume as the network shall see it.
type Export struct {
	IQN    string  // RFC 3720 §3.2.6; the target's name, one per volume
	Device string  // path of a block device or file
	Serial string  // what the initiator reads as unit serial: the volume's id
	Grants []Grant // who may log in; by initiator, each at most once
}

// Grant lets one initiator log in with CHAP (RFC 1994).
type Grant struct {
	Initiator string // the initiator's IQN; List may give it in small letters
	Username  string
	Password  Secret
	ReadOnly  bool // the target itself refuses writes
}

// Address is where an initiator finds the export.
type Address struct {
	Portals []string // address:port
	LUN     int
}

// Secret is a password; it prints as stars.
type Secret string

// String hides the secret from logs and error texts.
func (Secret) String() string { return "***" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return `"***"` }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
