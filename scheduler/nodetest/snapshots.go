package nodetest

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Snapshot is a snapshot as the node has it: what its volume was.
type Snapshot struct {
	Volume
	Of string // the volume's id
}

// Snapshots gives what the node has, by snapshot id.
func (n *Node) Snapshots() map[string]Snapshot {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]Snapshot{}
	for k, s := range n.snapshots {
		all[k[len(s.Pool)+1:]] = s
	}
	return all
}

// PutSnapshot gives the node a snapshot that nobody asked for.
func (n *Node) PutSnapshot(pool, id, volumeID string, bytes int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.snapshots[key(pool, id)] = Snapshot{Volume{Pool: pool, Bytes: bytes}, volumeID}
}

// LoseSnapshot takes a snapshot from the node as a broken disk would.
func (n *Node) LoseSnapshot(pool, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.snapshots, key(pool, id))
}

// Write is what a virtual machine would do to a volume.
func (n *Node) Write(pool, id, content string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v := n.volumes[key(pool, id)]
	v.Content = content
	n.volumes[key(pool, id)] = v
}

// Snapshot implements rpc.Volumed.
func (n *Node) Snapshot(ctx context.Context, f rpc.Fence, pool, volumeID string) (*rpc.Operation, error) {
	return n.operate(ctx, "snapshot", f, pool, false, func() *fault.Fault {
		if s, ok := n.snapshots[key(pool, f.ResourceID)]; ok && s.Of == volumeID {
			return nil
		}
		v, ok := n.volumes[key(pool, volumeID)]
		switch {
		case !ok:
			return fault.New(fault.NotFound, "there is no volume %s", volumeID)
		case !n.pools[pool].Thin && n.used(pool)+v.Bytes > n.pools[pool].TotalBytes:
			return fault.New(fault.NoSpace, "the pool has no room for a snapshot of %d bytes", v.Bytes)
		}
		n.snapshots[key(pool, f.ResourceID)] = Snapshot{v, volumeID}
		return nil
	})
}

// DestroySnapshot implements rpc.Volumed.
func (n *Node) DestroySnapshot(ctx context.Context, f rpc.Fence, pool string) (*rpc.Operation, error) {
	return n.operate(ctx, "destroy_snapshot", f, pool, true, func() *fault.Fault {
		delete(n.snapshots, key(pool, f.ResourceID))
		return nil
	})
}

// Revert implements rpc.Volumed.
func (n *Node) Revert(ctx context.Context, f rpc.Fence, pool, snapshotID string, bytes int64) (*rpc.Operation, error) {
	return n.operate(ctx, "revert", f, pool, false, func() *fault.Fault {
		s, ok := n.snapshots[key(pool, snapshotID)]
		switch {
		case !ok:
			return fault.New(fault.NotFound, "there is no snapshot %s", snapshotID)
		case s.Of != f.ResourceID:
			return fault.New(fault.Conflict, "it is a snapshot of another volume")
		case s.Bytes > bytes:
			return fault.New(fault.Invalid, "the snapshot has %d bytes", s.Bytes)
		}
		for _, e := range n.exports {
			if e.volume == f.ResourceID && e.pool == pool {
				return fault.New(fault.Busy, "the volume is exported")
			}
		}
		n.volumes[key(pool, f.ResourceID)] = Volume{Pool: pool, Bytes: bytes, Content: s.Content}
		return nil
	})
}

// SnapshotGroup implements rpc.Volumed: all at once, or none.
func (n *Node) SnapshotGroup(ctx context.Context, f rpc.Fence, members []*rpc.Member, together bool) (*rpc.Operation, error) {
	return n.operate(ctx, "snapshot_group", f, members[0].Pool, false, func() *fault.Fault {
		for _, m := range members {
			if refused := n.refuses(f, m, together && len(members) > 1); refused != nil {
				return refused
			}
		}
		for _, m := range members {
			n.snapshots[key(m.Pool, m.SnapshotID)] = Snapshot{n.volumes[key(m.Pool, m.VolumeID)], m.VolumeID}
		}
		return nil
	})
}

func (n *Node) refuses(f rpc.Fence, m *rpc.Member, together bool) *fault.Fault {
	if err := n.admit(rpc.Fence{OperationID: f.OperationID, ResourceID: m.SnapshotID, Generation: m.Generation}, m.Pool, false); err != nil {
		return fault.Wrap(err, fault.CodeOf(err), "%s", fault.MessageOf(err))
	}
	v, ok := n.volumes[key(m.Pool, m.VolumeID)]
	switch {
	case !ok:
		return fault.New(fault.NotFound, "there is no volume %s", m.VolumeID)
	case !n.pools[m.Pool].Thin && n.used(m.Pool)+v.Bytes > n.pools[m.Pool].TotalBytes:
		return fault.New(fault.NoSpace, "the pool has no room for a snapshot of %d bytes", v.Bytes)
	}
	for _, e := range n.exports {
		if together && e.volume == m.VolumeID && e.pool == m.Pool {
			return fault.New(fault.Unsupported, "volume %s is attached", m.VolumeID)
		}
	}
	return nil
}
