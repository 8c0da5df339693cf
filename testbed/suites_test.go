package testbed_test

import (
	"path/filepath"
	"testing"

	"clinker/testbed"
)

// suites are the packages whose tests need the guest's kernel, in the order in
// which they run, all in one machine. prepare is a script; what it makes is there
// for the suites that follow. A package that is announced may have no tests yet;
// of all others, having none is a failure.
var suites = []struct {
	folder    string // below the module's root
	prepare   string
	args      []string // for the test binary, such as -test.run
	announced bool
}{
	{folder: "testbed/guest"},
	{folder: "volumed/backend/lvm", announced: true},
	{folder: "volumed/target/lio", announced: true, prepare: `
		modprobe -a target_core_mod target_core_iblock target_core_file iscsi_target_mod`},
	{folder: "volumed/target/tgt"},
}

// TestSuites runs them. They find the volume group vg0 on /dev/tb/data and an
// initiator that is ready to log in, and leave both as they were.
func TestSuites(t *testing.T) {
	t.Parallel()
	vm := testbed.Start(t, testbed.Options{Name: "suites", MemoryMiB: 768})
	vm.MakeVG(t)
	vm.StartInitiator(t, "iqn.2004-10.com.example:suites")
	for _, suite := range suites {
		t.Run(suite.folder, func(t *testing.T) {
			tests, _ := filepath.Glob(filepath.Join("..", suite.folder, "*_test.go"))
			if suite.announced && len(tests) == 0 {
				t.Skip("announced, without tests so far")
			}
			vm.Run(t, "true"+suite.prepare)
			vm.RunPackage(t, "clinker/"+suite.folder, suite.args...)
		})
	}
}
