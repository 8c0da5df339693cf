package machine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Host ports are taken from below the range from which the kernel serves
// outgoing connections, so that a port stays free while its machine is off.
const (
	firstPort = 20000
	portCount = 12000
)

// freePorts finds a free port of 127.0.0.1 for each of the guest's.
func freePorts(guest []int) (map[int]int, error) {
	ports := make(map[int]int)
	taken := make(map[int]bool)
	for _, port := range guest {
		host, err := freePort(taken)
		if err != nil {
			return nil, err
		}
		ports[port], taken[host] = host, true
	}
	return ports, nil
}

func freePort(taken map[int]bool) (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(portCount)
		if taken[port] {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, errors.New("no free port on 127.0.0.1")
}
