package nodetest

import (
	"sync"

	"clinker/volumed/rpc"
)

// Network finds nodes by endpoint. One that is not there does not answer.
type Network struct {
	mu    sync.Mutex
	nodes map[string]*Node
}

// NewNetwork gives a network of these nodes.
func NewNetwork(nodes ...*Node) *Network {
	n := &Network{nodes: map[string]*Node{}}
	for _, node := range nodes {
		n.nodes[node.Endpoint()], node.network = node, n
	}
	return n
}

// Node implements scheduler.Nodes.
func (n *Network) Node(endpoint string) rpc.Volumed { return n.find(endpoint) }

func (n *Network) find(endpoint string) *Node {
	if n == nil {
		return Gone()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if node := n.nodes[endpoint]; node != nil {
		return node
	}
	return Gone()
}

// Nodes lists the nodes, in no order.
func (n *Network) Nodes() []*Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*Node
	for _, node := range n.nodes {
		all = append(all, node)
	}
	return all
}

// Gone is a node that never answers: its machine has no power.
func Gone() *Node {
	node := New("gone")
	node.SetDown(true)
	return node
}
