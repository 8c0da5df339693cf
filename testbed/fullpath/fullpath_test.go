package fullpath

import (
	"testing"
	"time"

	"clinker/testbed"
	"clinker/testbed/machine"
)

// path is all machines, once for all tests: they boot in seconds, but on few
// processors every second counts.
type path struct {
	*cloud
	node          *node
	first, second *client
}

func TestFullPath(t *testing.T) {
	t.Cleanup(testbed.TakeLane(t))
	p := start(t)
	t.Run("Placed", p.placed)
	for _, kind := range kinds {
		t.Run("Story/"+kind, func(t *testing.T) { p.story(t, kind) })
	}
	t.Run("Refused", p.refused)
	t.Run("OldBytes/thick", p.wipesThick)
	t.Run("OldBytes/thin", p.hidesThin)
	t.Run("Moved", p.moved)
	t.Run("Limited", p.limited)
	t.Run("PowerCut", p.powerCut)
}

func start(t *testing.T) *path {
	t.Helper()
	began := time.Now()
	p := &path{cloud: startCloud(t)}
	t.Logf("control plane up after %.1f s", time.Since(began).Seconds())
	network := testbed.NewNetwork(t)
	cables := []*machine.Cable{testbed.Plug(t, network), testbed.Plug(t, network), testbed.Plug(t, network)}
	vms := testbed.StartAll(t, nodeOptions(t, p.cloud, cables[0]),
		clientOptions(t, "first", cables[1]), clientOptions(t, "second", cables[2]))
	t.Logf("machines up after %.1f s", time.Since(began).Seconds())
	p.node = &node{VM: vms[0], cloud: p.cloud, address: cables[0].IP().String()}
	t.Cleanup(func() { p.node.showLog(t) })
	since := time.Now()
	p.node.furnish(t)
	p.node.start(t)
	p.first, p.second = newClient(t, p.cloud, vms[1]), newClient(t, p.cloud, vms[2])
	p.node.awaitPools(t, since)
	t.Logf("pools known after %.1f s", time.Since(began).Seconds())
	return p
}
