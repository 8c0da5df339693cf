// Package ports gives TCP ports of loopback to servers that are started by tests,
// demonstrations and benchmarks.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports are taken from below the range from which the kernel serves outgoing
// connections (ip(7), ip_local_port_range), so that one stays free while its server
// is down.
const first, end = 12000, 32000

// kept are the marks of the ports that this process has taken.
var kept struct {
	sync.Mutex
	marks []net.Listener
}

// Take gives the first of n ports, one after the other, on which nobody listens. They
// are this process's until it ends: no other one that asks here is given any of them,
// nor tries whether it is free just when its server starts.
func Take(n int) (int, error) {
	kept.Lock()
	defer kept.Unlock()
	for range 1000 {
		port := first + rand.IntN(end-first-n+1)
		if marks, ok := takeAll(port, n); ok {
			kept.marks = append(kept.marks, marks...)
			return port, nil
		}
	}
	return 0, errors.New("no free ports on 127.0.0.1")
}

// takeAll takes n ports, or none.
func takeAll(port, n int) (marks []net.Listener, ok bool) {
	for i := range n {
		mark, err := take(port + i)
		if err != nil {
			release(marks)
			return nil, false
		}
		marks = append(marks, mark)
	}
	return marks, true
}

// take marks a port as taken, by the name of a socket which only one process can have
// and which is gone with it (unix(7), abstract sockets), and then looks whether
// somebody else listens there.
func take(port int) (net.Listener, error) {
	mark, err := net.Listen("unix", fmt.Sprintf("@clinker/port/%d", port))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, errors.Join(err, mark.Close())
	}
	return mark, listener.Close()
}

func release(marks []net.Listener) {
	for _, mark := range marks {
		_ = mark.Close() // nobody has used it
	}
}
