package machine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Network is the storage network: a switch between machines, made of socket
// pairs of this process, so that it needs no privilege and no port, nobody else
// can reach it, and a machine may go and come back while others run on.
type Network struct {
	mu     sync.RWMutex
	cables []*Cable
}

// Cable connects one machine, which has the address Prefix on its NIC "storage".
// Machines may use it one after the other.
type Cable struct {
	Prefix netip.Prefix // 10.9.0.N/24, N counting from 1

	network   *Network
	mac       net.HardwareAddr
	guest     *os.File // QEMU's end
	host      *os.File // the switch's end
	pluggedIn atomic.Bool
	cut       atomic.Bool
}

// NewNetwork makes a switch without cables. The caller must Close it.
func NewNetwork() *Network { return &Network{} }

// Plug adds a cable; there may be 254.
func (n *Network) Plug() (*Cable, error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("storage network: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	number := byte(len(n.cables) + 1)
	c := &Cable{
		Prefix:  netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 9, 0, number}), 24),
		network: n,
		mac:     net.HardwareAddr{0x52, 0x54, 0, 0, 1, number},
		guest:   os.NewFile(uintptr(ends[0]), "storage NIC"),
		host:    os.NewFile(uintptr(ends[1]), "storage switch"),
	}
	n.cables = append(n.cables, c)
	go c.forward()
	return c, nil
}

// Close takes all cables away.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []error
	for _, c := range n.cables {
		all = append(all, c.host.Close(), c.guest.Close())
	}
	n.cables = nil
	return errors.Join(all...)
}

// IP returns the address of the machine at this cable.
func (c *Cable) IP() netip.Addr { return c.Prefix.Addr() }

// Cut makes the cable lose every frame, both ways, until Mend. The guest does
// not notice: its NIC keeps its carrier, as behind a switch.
func (c *Cable) Cut() { c.cut.Store(true) }

// Mend undoes Cut.
func (c *Cable) Mend() { c.cut.Store(false) }

func (c *Cable) plugIn(on bool) { c.pluggedIn.Store(on) }

// forward carries frames away from one machine until the cable is closed.
func (c *Cable) forward() {
	frame := make([]byte, 64<<10)
	for {
		n, err := c.host.Read(frame)
		if err != nil {
			return
		}
		if n >= 14 && !c.cut.Load() {
			c.network.deliver(c, frame[:n])
		}
	}
}

// deliver gives a frame to the machine that it is for, or to all others. Every
// machine's address is known, so that the switch need not learn.
func (n *Network) deliver(from *Cable, frame []byte) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	to := net.HardwareAddr(frame[:6])
	for _, c := range n.cables {
		if c != from && (to[0]&1 == 1 || string(c.mac) == string(to)) {
			c.receive(frame)
		}
	}
}

// receive waits a while for a machine that is slow to take its frames, which
// slows the sender down instead of losing them, as a switch's pause frames do.
func (c *Cable) receive(frame []byte) {
	if !c.pluggedIn.Load() || c.cut.Load() {
		return
	}
	_ = c.host.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.host.Write(frame)
}
