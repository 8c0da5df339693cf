package carry

import (
	"cmp"
	"time"
)

// Host is this machine: its state files, its initiator, its devices, and the
// cloud that its volumes come from. It may be used by many goroutines and
// processes at once; work on one volume is serialised by a lock file.
type Host struct {
	cloud     *Cloud
	initiator Initiator
	states    states
	system    system
	crypt     Crypt
	multipath Multipath
	options   Options
}

// Options of a Host; what is zero has its default.
type Options struct {
	Root     string        // where /etc, /proc, /sys, /dev and /var are found; "/"
	Wait     time.Duration // for a device to appear or to grow after login; 30 s
	Poll     time.Duration // between two looks at sysfs; 50 ms
	Interval time.Duration // between two rounds of Watch; 5 s

	Crypt     Crypt     // opens encrypted volumes; cryptsetup
	Multipath Multipath // what else may take a disk; multipathd

	Connector map[string]any // sent instead of what this machine's files say; for tests
}

// New makes a Host. initiator may be nil for open-iscsi.
func New(cloud *Cloud, initiator Initiator, o Options) *Host {
	o.Root = cmp.Or(o.Root, "/")
	o.Wait = cmp.Or(o.Wait, 30*time.Second)
	o.Poll = cmp.Or(o.Poll, 50*time.Millisecond)
	o.Interval = cmp.Or(o.Interval, 5*time.Second)
	if initiator == nil {
		initiator = NewIscsiadm(o.Root)
	}
	if o.Crypt == nil {
		o.Crypt = Cryptsetup{}
	}
	if o.Multipath == nil {
		o.Multipath = multipathTools{root: o.Root}
	}
	return &Host{
		cloud:     cloud,
		initiator: initiator,
		states:    states{dir: rooted(o.Root, "var/lib/clinker/attach")},
		system:    system{root: o.Root},
		crypt:     o.Crypt,
		multipath: o.Multipath,
		options:   o,
	}
}
