package rig

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports are taken from below the range that the kernel gives to outgoing
// connections, so that one stays free while its server is down.
const firstPort, endPort = 17000, 32000

var ports struct {
	sync.Mutex
	given map[int]bool
}

// Ports gives n free TCP ports of loopback, one after the other, that no other
// caller of this process was given.
func Ports(t testing.TB, n int) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.given == nil {
		ports.given = map[int]bool{}
	}
	for range 1000 {
		first := firstPort + rand.IntN(endPort-firstPort-n)
		if allFree(first, n) {
			for i := range n {
				ports.given[first+i] = true
			}
			return first
		}
	}
	t.Fatal("no free ports")
	return 0
}

func allFree(first, n int) bool {
	for port := first; port < first+n; port++ {
		if ports.given[port] {
			return false
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}
