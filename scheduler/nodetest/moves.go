package nodetest

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Loan is what a node lends to another.
type Loan struct {
	Pool, Reader string
	Generation   int64
	Token        rpc.Secret
	Bytes        int64
}

// Lend implements rpc.Volumed.
func (n *Node) Lend(ctx context.Context, f rpc.Fence, pool string, bytes int64, reader string, token rpc.Secret) error {
	if err := n.enter(ctx, "lend", f.ResourceID); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.admit(f, pool, false); err != nil {
		return err
	}
	if n.volumes[key(pool, f.ResourceID)].Pool == "" {
		return fault.New(fault.NotFound, "there is no such volume")
	}
	for _, e := range n.exports {
		if e.volume == f.ResourceID && e.pool == pool {
			return fault.New(fault.Busy, "the volume is exported to 1 attachments")
		}
	}
	n.loans[f.ResourceID] = Loan{Pool: pool, Reader: reader, Generation: f.Generation, Token: token, Bytes: bytes}
	return n.leave("lend", f.ResourceID)
}

// Loans gives what the node lends, by volume id.
func (n *Node) Loans() map[string]Loan {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]Loan{}
	for id, l := range n.loans {
		all[id] = l
	}
	return all
}

// MoveIn implements rpc.Volumed: the content is what the other node has at the
// beginning.
func (n *Node) MoveIn(ctx context.Context, f rpc.Fence, pool string, from rpc.Lender, bytes int64) (*rpc.Operation, error) {
	content, failed := n.borrow(f.ResourceID, from)
	return n.operate(ctx, "move_in", f, pool, false, func() *fault.Fault {
		if failed != nil {
			return failed
		}
		if failed := n.make(pool, f.ResourceID, bytes); failed != nil {
			return failed
		}
		n.volumes[key(pool, f.ResourceID)] = Volume{Pool: pool, Bytes: bytes, Content: content}
		return nil
	})
}

// borrow reads what another node of the network, or this one, lends to this one.
func (n *Node) borrow(volume string, from rpc.Lender) (content string, failed *fault.Fault) {
	source, reader := n, ""
	if from.NodeUUID != n.uuid {
		source, reader = n.network.find(from.Endpoint), n.host
	}
	source.mu.Lock()
	defer source.mu.Unlock()
	l := source.loans[volume]
	if source.down || l.Token == "" || l.Token != from.Token || l.Generation != from.Generation || l.Reader != reader {
		return "", fault.New(fault.Unavailable, "the node that has the volume does not lend it")
	}
	return source.volumes[key(l.Pool, volume)].Content, nil
}
