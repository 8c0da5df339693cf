package nodetest

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Grant implements rpc.Volumed.
func (n *Node) Grant(ctx context.Context, f rpc.Fence, pool, volumeID string, g rpc.Grant) (*rpc.Connection, error) {
	if err := n.enter(ctx, "grant", f.ResourceID); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.admit(f, pool, false); err != nil {
		return nil, err
	}
	if _, ok := n.volumes[key(pool, volumeID)]; !ok {
		return nil, fault.New(fault.NotFound, "there is no such volume")
	}
	n.exports[f.ResourceID] = export{pool: pool, volume: volumeID, grant: g, generation: f.Generation}
	return &rpc.Connection{
		Protocol: "iscsi", Portals: []string{"127.0.0.1:3260"}, IQN: "iqn.2010-10.org.openstack:volume-" + volumeID, LUN: 1,
		Username: g.Username, Password: g.Password, ReadOnly: g.ReadOnly,
	}, n.leave("grant", f.ResourceID)
}

// Limit implements rpc.Volumed.
func (n *Node) Limit(ctx context.Context, f rpc.Fence, pool string, limits rpc.Limits) error {
	if err := n.enter(ctx, "limit", f.ResourceID); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, e := range n.exports {
		if e.volume == f.ResourceID && e.pool == pool && e.grant.VolumeGeneration <= f.Generation {
			e.grant.Limits, e.grant.VolumeGeneration = limits, f.Generation
			n.exports[id] = e
		}
	}
	return n.leave("limit", f.ResourceID)
}

// Revoke implements rpc.Volumed.
func (n *Node) Revoke(ctx context.Context, f rpc.Fence, pool, volumeID string) error {
	if err := n.enter(ctx, "revoke", f.ResourceID); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.admit(f, pool, true); err != nil {
		return err
	}
	delete(n.exports, f.ResourceID)
	return n.leave("revoke", f.ResourceID)
}

// Exports implements rpc.Volumed.
func (n *Node) Exports(ctx context.Context, pool string) ([]*rpc.Export, error) {
	if err := n.enter(ctx, "exports", ""); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*rpc.Export
	for id, e := range n.exports {
		if e.pool == pool {
			all = append(all, &rpc.Export{VolumeID: e.volume, AttachmentID: id, Initiator: e.grant.Initiator,
				Username: e.grant.Username, Generation: e.generation, Present: true})
		}
	}
	return all, n.leave("exports", "")
}
