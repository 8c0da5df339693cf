package testbed_test

import (
	"os"
	"path/filepath"
	"testing"

	"clinker/testbed"
)

// suites are the packages whose tests need the guest's kernel, in the order in
// which they run, all in one machine. prepare is a script; what it makes is there
// for the suites that follow.
var suites = []struct {
	folder  string // below the module's root
	prepare string
	args    []string // for the test binary, such as -test.run
}{
	{folder: "testbed/guest"},
	{folder: "volumed/backend/lvm"},
	{folder: "volumed/target/lio", prepare: "modprobe -a target_core_mod target_core_iblock target_core_file iscsi_target_mod iscsi_tcp sd_mod sg"},
	{folder: "volumed/target/tgt", prepare: "modprobe -a iscsi_tcp sd_mod sg"},
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
			if _, err := os.Stat(filepath.Join("..", suite.folder)); err != nil {
				t.Skipf("there is no such package: %v", err)
			}
			if suite.prepare != "" {
				vm.Run(t, suite.prepare)
			}
			vm.RunPackage(t, "clinker/"+suite.folder, suite.args...)
		})
	}
}
