package machine

import (
	"time"

	"clinker/testbed/wire"
)

// Options describe a machine. The zero value is a good one.
type Options struct {
	Name      string            // host name in the guest; "" is "guest"
	MemoryMiB int               // 0 is 512; with less than 384 LVM and iSCSI do not fit
	Disks     []Disk            // nil is one of 20 GiB with the serial "data"
	Files     map[string]string // copied in at each boot, since the root is in memory: path in the guest to path on the host
	Forward   []int             // TCP ports of the guest to be reached from the host: Address
	Storage   *Cable            // plugs a second NIC, "storage", into a Network
	Dir       string            // where the disks and the console's log are kept; "" is a folder of its own, removed by Close
	Lifetime  time.Duration     // from each boot, after which QEMU is killed; 0 is 15 minutes
	Terminal  bool              // the console is this process's terminal, with a shell; Boot does not wait for the agent, Files are not copied
}

// Disk is an empty disk, a sparse file, seen in the guest as /dev/tb/<serial>.
type Disk struct {
	Serial  string // at most 20 bytes
	SizeGiB int
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "guest"
	}
	if o.MemoryMiB == 0 {
		o.MemoryMiB = 512
	}
	if o.Disks == nil {
		o.Disks = []Disk{{Serial: "data", SizeGiB: 20}}
	}
	if o.Lifetime == 0 {
		o.Lifetime = 15 * time.Minute
	}
	o.Forward = append([]int{wire.Port}, o.Forward...)
	return o
}
