package machine

import (
	"bytes"
	"testing"
)

var broadcast = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// frame is the smallest Ethernet frame, with a word that tells it from others.
func frame(to, from []byte, word string) []byte {
	return append(append(append(bytes.Clone(to), from...), 0x08, 0x00), word...)
}

func plug(t *testing.T, n *Network) *Cable {
	t.Helper()
	c, err := n.Plug()
	if err != nil {
		t.Fatal(err)
	}
	c.plugIn(true)
	return c
}

// send puts frames in at one cable. The switch is a goroutine that takes them in
// order, so that the arrival of a later frame shows the loss of an earlier one.
func send(t *testing.T, c *Cable, frames ...[]byte) {
	t.Helper()
	for _, f := range frames {
		if _, err := c.guest.Write(f); err != nil {
			t.Fatal(err)
		}
	}
}

func expect(t *testing.T, c *Cable, want []byte) {
	t.Helper()
	buffer := make([]byte, 2000)
	n, err := c.guest.Read(buffer)
	if err != nil || !bytes.Equal(buffer[:n], want) {
		t.Errorf("%s received %q, %v; want %q", c.IP(), buffer[:n], err, want)
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	n := NewNetwork()
	defer n.Close()
	a, b, c := plug(t, n), plug(t, n), plug(t, n)
	toB, toC := frame(b.mac, a.mac, "for b"), frame(c.mac, a.mac, "for c")
	toAll := frame(broadcast, a.mac, "for all")
	send(t, a, toB, toC, toAll)
	expect(t, b, toB)
	expect(t, b, toAll)
	expect(t, c, toC)
	expect(t, c, toAll)
	if a.Prefix.String() != "10.9.0.1/24" || b.IP().String() != "10.9.0.2" {
		t.Errorf("addresses %s, %s", a.Prefix, b.IP())
	}
}

func TestNetworkLosesFrames(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ lose, deliver func(*Cable) }{
		"cut":       {(*Cable).Cut, (*Cable).Mend},
		"unplugged": {func(c *Cable) { c.plugIn(false) }, func(c *Cable) { c.plugIn(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			n := NewNetwork()
			defer n.Close()
			a, b, witness := plug(t, n), plug(t, n), plug(t, n)
			test.lose(b)
			lost, barrier := frame(b.mac, a.mac, "lost"), frame(witness.mac, a.mac, "barrier")
			send(t, a, lost, barrier)
			expect(t, witness, barrier) // the switch is past the first frame
			test.deliver(b)
			found := frame(b.mac, a.mac, "found")
			send(t, a, found)
			expect(t, b, found)
		})
	}
}
