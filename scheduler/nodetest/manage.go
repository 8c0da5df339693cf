package nodetest

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// Stranger is something in a pool that Clinker did not make.
type Stranger struct {
	Volume
	Origin string // name of the volume that it is a snapshot of, "" for a volume
	Open   bool
}

// PutStranger gives the node something under a name of its own.
func (n *Node) PutStranger(reference string, s Stranger) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.strangers == nil {
		n.strangers = map[string]Stranger{}
	}
	n.strangers[key(s.Pool, reference)] = s
}

// Strangers gives what the node has that is not ours, by name.
func (n *Node) Strangers() map[string]Stranger {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]Stranger{}
	for k, s := range n.strangers {
		all[k[len(s.Pool)+1:]] = s
	}
	return all
}

const volumePrefix, snapshotPrefix = "volume-", "_snapshot-"

// Manageable implements rpc.Volumed.
func (n *Node) Manageable(ctx context.Context, pool string) ([]*rpc.Candidate, error) {
	if err := n.enter(ctx, "manageable", ""); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*rpc.Candidate
	for k, v := range n.volumes {
		if v.Pool == pool {
			all = append(all, &rpc.Candidate{Kind: rpc.KindVolume, Reference: volumePrefix + k[len(pool)+1:], Bytes: v.Bytes, ID: k[len(pool)+1:]})
		}
	}
	for k, s := range n.snapshots {
		if s.Pool == pool {
			all = append(all, &rpc.Candidate{Kind: rpc.KindSnapshot, Reference: snapshotPrefix + k[len(pool)+1:], Bytes: s.Bytes, Origin: volumePrefix + s.Of, ID: k[len(pool)+1:]})
		}
	}
	for k, s := range n.strangers {
		if s.Pool != pool {
			continue
		}
		c := &rpc.Candidate{Kind: rpc.KindVolume, Reference: k[len(pool)+1:], Bytes: s.Bytes, Origin: s.Origin}
		if s.Origin != "" {
			c.Kind = rpc.KindSnapshot
		}
		if s.Open {
			c.Refusal = "it is in use"
		}
		all = append(all, c)
	}
	return all, n.leave("manageable", "")
}

// Manage implements rpc.Volumed.
func (n *Node) Manage(ctx context.Context, f rpc.Fence, pool string, kind rpc.Kind, reference string, bytes int64, volumeID string) (*rpc.Operation, error) {
	return n.operate(ctx, "manage", f, pool, false, func() *fault.Fault {
		s, ok := n.strangers[key(pool, reference)]
		if !ok {
			return n.managed(kind, pool, f.ResourceID)
		}
		switch {
		case s.Open:
			return fault.New(fault.Busy, "it is in use")
		case kind == rpc.KindVolume && s.Origin != "":
			return fault.New(fault.Conflict, "it is a snapshot and no volume")
		case kind == rpc.KindSnapshot && s.Origin != volumePrefix+volumeID:
			return fault.New(fault.Conflict, "it is not a snapshot of that volume")
		case n.used(pool)+bytes > n.pools[pool].TotalBytes:
			return fault.New(fault.NoSpace, "the pool has no room for %d bytes", bytes)
		}
		delete(n.strangers, key(pool, reference))
		s.Bytes = max(s.Bytes, bytes)
		if kind == rpc.KindSnapshot {
			n.snapshots[key(pool, f.ResourceID)] = Snapshot{s.Volume, volumeID}
		} else {
			n.volumes[key(pool, f.ResourceID)] = s.Volume
		}
		return nil
	})
}

// managed is for a call that comes when the reference is gone.
func (n *Node) managed(kind rpc.Kind, pool, id string) *fault.Fault {
	_, is := n.volumes[key(pool, id)]
	if kind == rpc.KindSnapshot {
		_, is = n.snapshots[key(pool, id)]
	}
	if !is {
		return fault.New(fault.NotFound, "there is no such volume in this pool")
	}
	return nil
}

// Unmanage implements rpc.Volumed.
func (n *Node) Unmanage(ctx context.Context, f rpc.Fence, pool string, kind rpc.Kind, reference string) (*rpc.Operation, error) {
	return n.operate(ctx, "unmanage", f, pool, true, func() *fault.Fault {
		for _, e := range n.exports {
			if e.volume == f.ResourceID && e.pool == pool {
				return fault.New(fault.Busy, "the volume is exported")
			}
		}
		v, ok := n.volumes[key(pool, f.ResourceID)]
		origin := ""
		if kind == rpc.KindSnapshot {
			s, is := n.snapshots[key(pool, f.ResourceID)]
			v, ok, origin = s.Volume, is, volumePrefix+s.Of
		}
		if !ok || reference == "" {
			return nil
		}
		delete(n.volumes, key(pool, f.ResourceID))
		delete(n.snapshots, key(pool, f.ResourceID))
		if n.strangers == nil {
			n.strangers = map[string]Stranger{}
		}
		n.strangers[key(pool, reference)] = Stranger{Volume: v, Origin: origin}
		return nil
	})
}

// LogLevels implements rpc.Volumed.
func (n *Node) LogLevels(ctx context.Context, prefix string) (map[string]string, error) {
	if err := n.enter(ctx, "log_levels", ""); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return map[string]string{prefix: n.level}, n.leave("log_levels", "")
}

// SetLogLevels implements rpc.Volumed.
func (n *Node) SetLogLevels(ctx context.Context, _, level string) error {
	if err := n.enter(ctx, "set_log_levels", ""); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.level = level
	return n.leave("set_log_levels", "")
}
