package nodetest

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Create implements rpc.Volumed.
func (n *Node) Create(ctx context.Context, f rpc.Fence, pool string, bytes int64, blank bool) (*rpc.Operation, error) {
	return n.operate(ctx, "create", f, pool, false, func() *fault.Fault {
		refused := n.make(pool, f.ResourceID, bytes)
		if refused == nil {
			v := n.volumes[key(pool, f.ResourceID)]
			v.Blank = blank
			n.volumes[key(pool, f.ResourceID)] = v
		}
		return refused
	})
}

// CopyFrom implements rpc.Volumed.
func (n *Node) CopyFrom(ctx context.Context, f rpc.Fence, pool string, source rpc.Source, bytes int64) (*rpc.Operation, error) {
	return n.operate(ctx, "copy_from", f, pool, false, func() *fault.Fault {
		from, ok := n.volumes[key(pool, source.ID)]
		if source.Kind == rpc.KindSnapshot {
			from, ok = n.snapshots[key(pool, source.ID)].Volume, n.snapshots[key(pool, source.ID)].Of != ""
		}
		if !ok {
			return fault.New(fault.NotFound, "there is no volume or snapshot %s", source.ID)
		}
		if bytes < from.Bytes {
			return fault.New(fault.Invalid, "%s has %d bytes; a copy of it cannot have %d", source.ID, from.Bytes, bytes)
		}
		if failed := n.make(pool, f.ResourceID, bytes); failed != nil {
			return failed
		}
		n.volumes[key(pool, f.ResourceID)] = Volume{Pool: pool, Bytes: bytes, Content: from.Content}
		return nil
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
		had.Bytes = bytes
		n.volumes[key(pool, f.ResourceID)] = had
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
		for _, s := range n.snapshots {
			if s.Of == f.ResourceID && s.Pool == pool {
				return fault.New(fault.Busy, "the volume has snapshots")
			}
		}
		delete(n.volumes, key(pool, f.ResourceID))
		return nil
	})
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
	for k, s := range n.snapshots {
		if s.Pool == pool {
			id := k[len(pool)+1:]
			all = append(all, &rpc.Stored{Kind: rpc.KindSnapshot, ID: id, Bytes: s.Bytes, Generation: n.fences[id].generation})
		}
	}
	return all, n.leave("stored", "")
}
