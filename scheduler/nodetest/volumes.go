package nodetest

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Create implements rpc.Volumed.
func (n *Node) Create(ctx context.Context, f rpc.Fence, pool string, bytes int64) (*rpc.Operation, error) {
	return n.operate(ctx, "create", f, pool, false, func() *fault.Fault { return n.make(pool, f.ResourceID, bytes) })
}

// CopyFrom implements rpc.Volumed.
func (n *Node) CopyFrom(ctx context.Context, f rpc.Fence, pool string, source rpc.Source, bytes int64) (*rpc.Operation, error) {
	return n.operate(ctx, "copy_from", f, pool, false, func() *fault.Fault {
		if _, ok := n.volumes[key(pool, source.ID)]; !ok {
			return fault.New(fault.NotFound, "there is no volume %s", source.ID)
		}
		return n.make(pool, f.ResourceID, bytes)
	})
}

func (n *Node) make(pool, id string, bytes int64) *fault.Fault {
	had, ok := n.volumes[key(pool, id)]
	switch {
	case ok && had.Bytes == bytes:
		return nil
	case ok:
		return fault.New(fault.Conflict, "the volume exists with another size")
	case !n.pools[pool].Thin && n.used(pool)+bytes > n.pools[pool].TotalBytes:
		return fault.New(fault.NoSpace, "the pool has no room for %d bytes", bytes)
	}
	n.volumes[key(pool, id)] = Volume{Pool: pool, Bytes: bytes}
	return nil
}

// Extend implements rpc.Volumed.
func (n *Node) Extend(ctx context.Context, f rpc.Fence, pool string, bytes int64) (*rpc.Operation, error) {
	return n.operate(ctx, "extend", f, pool, false, func() *fault.Fault {
		had, ok := n.volumes[key(pool, f.ResourceID)]
		switch {
		case !ok:
			return fault.New(fault.NotFound, "there is no such volume")
		case had.Bytes > bytes:
			return fault.New(fault.Invalid, "the volume is longer already")
		case !n.pools[pool].Thin && n.used(pool)-had.Bytes+bytes > n.pools[pool].TotalBytes:
			return fault.New(fault.NoSpace, "the pool has no room for %d bytes", bytes)
		}
		n.volumes[key(pool, f.ResourceID)] = Volume{Pool: pool, Bytes: bytes}
		return nil
	})
}

// Destroy implements rpc.Volumed.
func (n *Node) Destroy(ctx context.Context, f rpc.Fence, pool string) (*rpc.Operation, error) {
	return n.operate(ctx, "destroy", f, pool, true, func() *fault.Fault {
		for _, e := range n.exports {
			if e.volume == f.ResourceID && e.pool == pool {
				return fault.New(fault.Busy, "the volume is exported")
			}
		}
		delete(n.volumes, key(pool, f.ResourceID))
		return nil
	})
}

// Snapshot implements rpc.Volumed.
func (n *Node) Snapshot(context.Context, rpc.Fence, string, string) (*rpc.Operation, error) {
	return nil, fault.New(fault.Unsupported, "this node keeps no snapshots")
}

// DestroySnapshot implements rpc.Volumed.
func (n *Node) DestroySnapshot(context.Context, rpc.Fence, string) (*rpc.Operation, error) {
	return nil, fault.New(fault.Unsupported, "this node keeps no snapshots")
}

// Stored implements rpc.Volumed.
func (n *Node) Stored(ctx context.Context, pool string) ([]*rpc.Stored, error) {
	if err := n.enter(ctx, "stored", ""); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*rpc.Stored
	for k, v := range n.volumes {
		if v.Pool == pool {
			id := k[len(pool)+1:]
			all = append(all, &rpc.Stored{Kind: rpc.KindVolume, ID: id, Bytes: v.Bytes, Generation: n.fences[id].generation})
		}
	}
	return all, n.leave("stored", "")
}

// Revert implements rpc.Volumed.
func (n *Node) Revert(context.Context, rpc.Fence, string, string, int64) (*rpc.Operation, error) {
	return nil, fault.New(fault.Unsupported, "this node keeps no snapshots")
}
