// Package machine runs throw-away virtual machines: the testbed's image under
// QEMU without hardware help, so that it needs no privilege and works anywhere.
// It knows nothing of tests; package testbed wraps it for them, and programs
// such as the demonstration use it directly.
//
// A machine's disks outlive its power: PowerCut is what a storage node sees
// when its plug is pulled, and Boot brings the same disks up again. One limit:
// what the guest has written is then in the host's page cache, so that a power
// cut here loses the guest's memory but no data that QEMU was handed.
//
// No QEMU outlives the process that started it, however that process ends, nor
// its context, nor the machine's Lifetime. Everything listens on 127.0.0.1.
// A guest reaches services of the host's 127.0.0.1 at 10.0.2.2.
package machine
