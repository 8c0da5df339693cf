package testbed_test

import (
	"cmp"
	"path"
	"testing"

	"clinker/testbed"
)

// suites are the packages whose tests need the guest's kernel. prepare is a script
// that runs first. Having no tests is a failure.
var suites = []struct {
	folder  string // below the module's root
	name    string // of its machine; the folder's when ""
	prepare string
	args    []string // for the test binary, such as -test.run
}{
	// The longest goes first, and in two machines. TestParseThin is for where
	// temporary files are on a disk: thin_restore writes around the page cache.
	{folder: "volumed/backend/lvm", args: []string{"-test.skip=^(TestThick|TestParseThin)$"}},
	{folder: "volumed/backend/lvm", name: "thick", args: []string{"-test.run=^TestThick$"}},
	{folder: "volumed/target/lio", prepare: `
		modprobe -a target_core_mod target_core_iblock target_core_file iscsi_target_mod`},
	{folder: "volumed/target/tgt"},
	{folder: "volumed/throttle", prepare: `
		modprobe -a target_core_mod target_core_iblock iscsi_target_mod`},
	{folder: "carry", args: []string{"-test.run=^TestGuest"}},
	{folder: "testbed/guest"},
}

// TestSuites runs each in a machine of its own, so that what one leaves behind
// does not disturb another, and two can run at once. They find the volume group
// vg0 on /dev/tb/data and an initiator that is ready to log in.
func TestSuites(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		name := cmp.Or(suite.name, path.Base(suite.folder))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vm := testbed.Start(t, testbed.Options{Name: name, MemoryMiB: 768})
			vm.MakeVG(t)
			vm.StartInitiator(t, "iqn.2004-10.com.example:"+vm.Name())
			if suite.prepare != "" {
				vm.Run(t, suite.prepare)
			}
			vm.RunPackage(t, "clinker/"+suite.folder, suite.args...)
		})
	}
}
