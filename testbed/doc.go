// Package testbed gives tests real virtual machines with Debian's kernel: LVM,
// device mapper, LIO, open-iscsi, NVMe/TCP, on any machine and without root.
//
//	vm := testbed.Start(t, testbed.Options{})
//	vm.MakeVG(t)
//	vm.Run(t, "lvcreate -y -L 1G -n volume vg0")
//
// A package's own tests run in a guest when suites_test.go names the package;
// tests that need it there call guest.Require first.
//
// The package is a thin layer over package machine, which programs that are no
// tests use: here every failure ends the test, and no machine outlives it.
package testbed
