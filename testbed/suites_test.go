package testbed_test

import (
	"cmp"
	"path"
	"sync"
	"testing"

	"clinker/testbed"
)

// suite is a package whose tests need the guest's kernel. Having none is a failure.
type suite struct {
	folder  string   // below the module's root
	name    string   // of its machine; the folder's when ""
	prepare string   // a script that runs first
	args    []string // for the test binary, such as -test.run
}

// suites are all, the longest first.
var suites = []suite{
	// This one in two machines. TestParseThin is for where temporary files are on a
	// disk: thin_restore writes around the page cache.
	{folder: "volumed/backend/lvm", args: []string{"-test.skip=^(TestThick|TestParseThin)$"}},
	{folder: "volumed/backend/lvm", name: "thick", args: []string{"-test.run=^TestThick$"}},
	{folder: "volumed/target/tgt"},
	{folder: "volumed/target/lio", prepare: `
		modprobe -a target_core_mod target_core_iblock target_core_file iscsi_target_mod`},
	{folder: "carry", args: []string{"-test.run=^TestGuest"}},
	{folder: "volumed/throttle", prepare: `
		modprobe -a target_core_mod target_core_iblock iscsi_target_mod`},
	{folder: "volumed/copy", args: []string{"-test.run=^TestGuest"}},
	{folder: "testbed/guest"},
}

// TestSuites runs each in a machine of its own, so that what one leaves behind
// does not disturb another, in their order and as many at once as there are lanes. They find
// the volume group vg0 on /dev/tb/data and an initiator that is ready to log in.
func TestSuites(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	defer running.Wait()
	for _, s := range suites {
		free := testbed.TakeLane(t)
		running.Go(func() {
			defer free()
			t.Run(s.machine(), s.run)
		})
	}
}

func (s suite) machine() string { return cmp.Or(s.name, path.Base(s.folder)) }

func (s suite) run(t *testing.T) {
	vm := testbed.Start(t, testbed.Options{Name: s.machine(), MemoryMiB: 768})
	vm.MakeVG(t)
	vm.StartInitiator(t, "iqn.2004-10.com.example:"+vm.Name())
	if s.prepare != "" {
		vm.Run(t, s.prepare)
	}
	vm.RunPackage(t, "clinker/"+s.folder, s.args...)
}
