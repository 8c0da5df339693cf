package testbed

import (
	"context"
	"os"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"clinker/testbed/machine"
)

// Options and their parts are package machine's.
type (
	Options = machine.Options
	Disk    = machine.Disk
	Command = machine.Command
	Network = machine.Network
)

// VM is a machine whose failures end the test that asked. The methods that take
// a context instead are the machine's and return errors.
type VM struct{ *machine.Machine }

// Start boots a machine that lives as long as the test. When the test has failed,
// the end of its console is logged; see KeepVariable.
func Start(t testing.TB, options Options) *VM {
	t.Helper()
	return StartAll(t, options)[0]
}

// StartAll is Start for several machines, which boot at the same time.
func StartAll(t testing.TB, options ...Options) []*VM {
	t.Helper()
	vms := make([]*VM, len(options))
	for i, o := range options {
		if o.Dir == "" {
			o.Dir = t.TempDir()
		}
		m, err := machine.New(t.Context(), o)
		check(t, err)
		vms[i] = &VM{m}
		t.Cleanup(func() { vms[i].end(t) })
	}
	var group errgroup.Group
	for _, vm := range vms {
		group.Go(func() error { return vm.boot(t) })
	}
	check(t, group.Wait())
	return vms
}

// KeepVariable names an environment variable: when it is set, a failed test
// waits, with its machines running, until each has been turned off by hand.
const KeepVariable = "TESTBED_KEEP"

func (vm *VM) end(t testing.TB) {
	if t.Failed() {
		t.Logf("guest %s, end of its console:\n%s", vm.Name(), last(vm.Console(), 4000))
		if os.Getenv(KeepVariable) != "" {
			keep(t, vm)
		}
	}
	if err := vm.Close(); err != nil {
		t.Errorf("guest %s: %v", vm.Name(), err)
	}
}

// Boot turns the machine on after PowerCut or Stop, with the same disks.
func (vm *VM) Boot(t testing.TB) {
	t.Helper()
	check(t, vm.boot(t))
}

// boot does not give the machine the test's own context: that ends before the
// cleanup functions run, which may still need the machine.
func (vm *VM) boot(t testing.TB) error {
	return vm.Machine.Boot(context.WithoutCancel(t.Context()))
}

// Run runs a shell script, which stops at its first failure, and returns its
// standard output. Another exit status than 0 ends the test.
func (vm *VM) Run(t testing.TB, script string) string {
	t.Helper()
	began := time.Now()
	output, err := vm.Script(t.Context(), script)
	if err != nil {
		t.Fatalf("guest %s: %v\nscript:\n%s\nstdout:\n%s", vm.Name(), err, script, output)
	}
	t.Logf("guest %s: %.1f s: %s", vm.Name(), time.Since(began).Seconds(), firstLine(script))
	return string(output)
}

// MakeVG makes the volume group vg0 of the disk "data", if it is not there.
func (vm *VM) MakeVG(t testing.TB) {
	t.Helper()
	check(t, vm.Machine.MakeVG(t.Context()))
}

// Mount mounts the disk of that serial, with ext4 made on it if it is empty.
func (vm *VM) Mount(t testing.TB, serial, dir string) {
	t.Helper()
	check(t, vm.Machine.Mount(t.Context(), serial, dir))
}

// LoadTarget loads LIO.
func (vm *VM) LoadTarget(t testing.TB) {
	t.Helper()
	check(t, vm.Machine.LoadTarget(t.Context()))
}

// StartInitiator makes the guest an iSCSI initiator of that name.
func (vm *VM) StartInitiator(t testing.TB, iqn string) {
	t.Helper()
	check(t, vm.Machine.StartInitiator(t.Context(), iqn))
}

// PowerCut pulls the plug; Boot brings the same disks up again.
func (vm *VM) PowerCut(t testing.TB) {
	t.Helper()
	check(t, vm.Machine.PowerCut())
}

// Stop turns the machine off in good order.
func (vm *VM) Stop(t testing.TB) {
	t.Helper()
	check(t, vm.Machine.Stop(t.Context()))
}

// NewNetwork makes a storage network that lives as long as the test.
func NewNetwork(t testing.TB) *Network {
	n := machine.NewNetwork()
	t.Cleanup(func() { check(t, n.Close()) })
	return n
}

// Plug adds a cable for one machine's Options.Storage.
func Plug(t testing.TB, n *Network) *machine.Cable {
	t.Helper()
	cable, err := n.Plug()
	check(t, err)
	return cable
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
