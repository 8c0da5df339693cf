package main

import (
	"fmt"
	"net"

	"clinker/testbed/wire"
)

// listen binds the address of the NIC named "control" alone, so that nothing on
// the storage network reaches the agent.
func listen() (net.Listener, error) {
	nic, err := net.InterfaceByName("control")
	if err != nil {
		return nil, fmt.Errorf("control NIC: %w", err)
	}
	addresses, err := nic.Addrs()
	if err != nil {
		return nil, fmt.Errorf("control NIC: %w", err)
	}
	for _, address := range addresses {
		if ip, _, err := net.ParseCIDR(address.String()); err == nil && ip.To4() != nil {
			return net.Listen("tcp", fmt.Sprintf("%s:%d", ip, wire.Port))
		}
	}
	return nil, fmt.Errorf("control NIC has no IPv4 address")
}
