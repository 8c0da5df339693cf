// Package guest tells a test whether it runs inside the testbed's virtual
// machine, where it is root on a kernel that has device mapper, LIO and iSCSI.
//
// It imports nothing but the standard library, so that any package's tests may
// use it. It never changes anything: a test that is not in the guest is skipped
// before it can touch a machine's real disks.
package guest

import (
	"os"
	"testing"
)

const (
	// Marker is the file that only the testbed's guests have.
	Marker = "/run/testbed"
	// DataDisk is the empty disk that every guest has for storage under test.
	DataDisk = "/dev/tb/data"
	// VolumeGroup is the LVM volume group that the harness makes on DataDisk
	// before it runs a suite.
	VolumeGroup = "vg0"
)

// Inside reports whether this process runs in a testbed guest.
func Inside() bool {
	_, err := os.Stat(Marker)
	return err == nil
}

// Require skips a test that does not run in a testbed guest. `make test` runs
// such tests all the same: testbed/suites_test.go carries their packages into a
// guest and fails if none of them passes there.
func Require(t testing.TB) {
	t.Helper()
	if !Inside() {
		t.Skip("runs in the testbed: make test-testbed")
	}
}
