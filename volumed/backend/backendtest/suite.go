package backendtest

import (
	"testing"

	"clinker/volumed/backend"
)

// Options tell the suite what the backend under test is like.
type Options struct {
	// Unit is the size of the volumes made, in bytes: a multiple of what the
	// pool rounds sizes up to.
	Unit int64
	// Parallel: every call of open gives a pool of its own, so that tests may
	// run side by side.
	Parallel bool
	// Fill: the pool is so small, yet has room for 14 volumes of Unit bytes, that
	// the suite may write to all of it.
	Fill bool
	// HoldsOrigin: a snapshot keeps its volume from being deleted.
	HoldsOrigin bool
	// OneStepClone: a clone is made in one step, which nothing can cut in two.
	OneStepClone bool
	// Clear takes away all whose names contain one of the ids, and their bytes:
	// quicker than Delete and Purge of each. It may be nil.
	Clear func(t *testing.T, ids []string)
	// Leftover makes in the pool what a crash can leave of the volume's making.
	// It may be nil.
	Leftover func(t *testing.T, b backend.Backend, name string)
}

// Run checks a backend. open gives one with a pool that may be empty or not; what
// it opens it must also close with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) backend.Backend, options Options) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if options.Parallel {
				t.Parallel()
			}
			test.run(&pool{T: t, Backend: open(t), Options: options})
		})
	}
}

var tests = []struct {
	name string
	run  func(p *pool)
}{
	{"Create", create},
	{"Refusals", refusals},
	{"Extend", extend},
	{"Delete", remove},
	{"NoOldBytes", noOldBytes},
	{"NoOldBytesOfSnapshots", noOldBytesOfSnapshots},
	{"Snapshot", snapshot},
	{"SnapshotAndExtend", snapshotAndExtend},
	{"Revert", revert},
	{"RevertExtended", revertExtended},
	{"RevertInterrupted", revertInterrupted},
	{"CloneOfVolume", cloneOfVolume},
	{"CloneOfSnapshot", cloneOfSnapshot},
	{"CloneCancelled", cloneCancelled},
	{"Import", imported},
	{"ImportFailed", importFailed},
	{"Replace", replaced},
	{"ReplaceFailed", replaceFailed},
	{"Manage", manage},
	{"ManageSnapshot", manageSnapshot},
	{"Capacity", capacity},
	{"NoSpace", noSpace},
	{"Concurrent", concurrent},
	{"Interrupted", interrupted},
	{"Leftover", leftover},
}
