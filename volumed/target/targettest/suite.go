package targettest

import (
	"slices"
	"testing"

	"clinker/volumed/target"
)

// Suite describes one implementation to Run.
type Suite struct {
	// Prefix begins the IQNs that the suite uses.
	Prefix string

	// Open gives a Target for IQNs that begin with prefix, as a node's daemon
	// that has just started would have it. All that it gives work on the same
	// kernel or daemon.
	Open func(t *testing.T, prefix string) target.Target

	// Initiator logs in to what Open's targets export.
	Initiator Initiator

	// Device makes a device to export; it is gone after the test.
	Device func(t *testing.T, bytes int64) Device

	// Cheap makes the devices of cases that need many; Device's if it is nil.
	Cheap func(t *testing.T, bytes int64) Device

	// Sessions tells who is logged in to an IQN, in a form that changes when
	// a session ends and another begins.
	Sessions func(t *testing.T, iqn string) []string

	// SharedSecrets: an initiator with a grant can use another grant's
	// username and password.
	SharedSecrets bool

	// OneAccess: all grants of an export must be read-only or none.
	OneAccess bool

	// Reconnects: a session in use while its device grows is cut, and comes
	// back by itself.
	Reconnects bool

	// Interruptions are the states in which a crash can leave an Apply or a
	// Remove.
	Interruptions []Interruption
}

// Device is something to export.
type Device struct {
	Path string
	Grow func(t *testing.T, bytes int64)
	// Release checks that nobody holds the device open any more.
	Release func(t *testing.T)
}

// Interruption makes what is left of an export when its making or its removal
// was broken off.
type Interruption struct {
	Name string
	Make func(t *testing.T, e target.Export)
}

// Run runs the cases with those names, all of them if none is given.
func Run(t *testing.T, s Suite, only ...string) {
	cases := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"Login", testLogin},
		{"Refusals", testRefusals},
		{"NoGrants", testNoGrants},
		{"Capitals", testCapitals},
		{"TwoGrants", testTwoGrants},
		{"ReadOnly", testReadOnly},
		{"ReadOnlyAndWritable", testMixedAccess},
		{"TurnedReadOnly", testTurnedReadOnly},
		{"ApplyAgain", testApplyAgain},
		{"RevokeOne", testRevokeOne},
		{"NewPassword", testNewPassword},
		{"NewUsername", testNewUsername},
		{"Grow", testGrow},
		{"GrowUnderLoad", testGrowUnderLoad},
		{"RemoveWithSession", testRemove},
		{"RemoveAgain", testRemoveAgain},
		{"List", testList},
		{"BadInput", testBadInput},
		{"Prefix", testPrefix},
		{"Interrupted", testInterrupted},
		{"ManyAtOnce", testManyAtOnce},
	}
	for _, c := range cases {
		if len(only) > 0 && !slices.Contains(only, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.run(t, newBench(t, s)) })
	}
}
