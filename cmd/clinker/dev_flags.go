package main

import (
	"net/netip"
	"strings"

	"clinker/internal/fault"
)

// check refuses flags that cannot be followed, before anything is made.
func (d devCommand) check() error {
	address, err := netip.ParseAddr(d.Listen)
	switch {
	case err != nil || address.IsUnspecified():
		return fault.New(fault.Invalid, "--listen %q: one IP address of this machine is needed, to which clients are sent", d.Listen)
	case d.Nodes < 1:
		return fault.New(fault.Invalid, "--nodes %d: at least one storage node is needed", d.Nodes)
	case d.Nodes > 1 && d.VolumeGroup != "":
		return fault.New(fault.Invalid, "--nodes %d: a volume group is one node's, and each of two would take the other's volumes for remains: leave --volume-group out, for files", d.Nodes)
	case d.Thin && d.VolumeGroup == "":
		return fault.New(fault.Invalid, "--thin is for volumes in a volume group: name it with --volume-group")
	case d.ImageService != "" && !strings.HasPrefix(d.ImageService, "http://") && !strings.HasPrefix(d.ImageService, "https://"):
		return fault.New(fault.Invalid, "--image-service %q: it must begin with http:// or https://", d.ImageService)
	}
	return d.checkPortNumbers()
}

// port is one that dev opens, and the flag that chooses another.
type port struct {
	number int
	flag   string
}

// ports are all that dev opens; the last d.Nodes are those of the storage nodes.
func (d devCommand) ports() []port {
	all := []port{{d.Port, "--port"}, {d.IdentityPort, "--identity-port"}}
	for i := range d.Nodes {
		all = append(all, port{d.TargetPort + i, "--target-port"})
	}
	return all
}

func (d devCommand) checkPortNumbers() error {
	flags := map[int]string{}
	for _, p := range d.ports() {
		if p.number < 1 || p.number > 65535 {
			return fault.New(fault.Invalid, "%s: there is no port %d, only 1 to 65535", p.flag, p.number)
		}
		if other, taken := flags[p.number]; taken {
			return fault.New(fault.Invalid, "%s and %s both want port %d: choose another for one of them", other, p.flag, p.number)
		}
		flags[p.number] = p.flag
	}
	return nil
}
