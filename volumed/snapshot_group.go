package volumed

import (
	"context"
	"fmt"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
)

// mostMembers bounds what one operation locks.
const mostMembers = 1000

// member is one snapshot of a group.
type member struct {
	pool     *pool
	poolName string
	fence    journal.Fence
	volume   string // id
}

// SnapshotGroup implements rpc.Volumed. Writes to a device cannot be held back
// here. Snapshots of several volumes are of one moment all the same while nobody
// can write: while none of the volumes is exported, which the exports' locks keep
// so.
func (s *Server) SnapshotGroup(ctx context.Context, f rpc.Fence, asked []*rpc.Member, together bool) (*rpc.Operation, error) {
	members, err := s.members(f, asked)
	if err != nil {
		return nil, err
	}
	fence, err := fenceOf(f, "", false)
	if err != nil {
		return nil, err
	}
	var locks []want
	for _, m := range members {
		locks = append(locks, want{space: storageOf, id: m.fence.Resource}, want{space: storageOf, id: m.volume, shared: true})
		if together {
			locks = append(locks, want{space: exportOf, id: m.volume})
		}
	}
	return s.work.run(ctx, task{
		kind: "snapshot_group", fence: fence, limit: copyLimit, locks: locks,
		do: func(ctx context.Context, _ *operation) error {
			if together && len(members) > 1 {
				if err := s.quiet(members); err != nil {
					return err
				}
			}
			return s.takeAll(ctx, members)
		},
	})
}

// members checks what is asked for.
func (s *Server) members(f rpc.Fence, asked []*rpc.Member) (members []member, err error) {
	if len(asked) > mostMembers {
		return nil, fault.New(fault.Invalid, "%d snapshots are too many for one group; %d are the most", len(asked), mostMembers)
	}
	seen := map[string]bool{f.ResourceID: true}
	for _, a := range asked {
		m := member{poolName: a.Pool, volume: a.VolumeID}
		if m.pool, m.fence, err = s.admit(rpc.Fence{OperationID: f.OperationID, ResourceID: a.SnapshotID, Generation: a.Generation}, a.Pool, false); err != nil {
			return nil, err
		}
		if err := checkID("volume_id", a.VolumeID); err != nil {
			return nil, err
		}
		if seen[a.SnapshotID] || seen[a.VolumeID] {
			return nil, fault.New(fault.Invalid, "a group, its snapshots and their volumes have ids of their own")
		}
		seen[a.SnapshotID], seen[a.VolumeID] = true, true
		members = append(members, m)
	}
	return members, nil
}

// quiet is nil while nobody is let in to any of the volumes. The caller holds the
// exports' locks.
func (s *Server) quiet(members []member) error {
	for _, m := range members {
		e, ok, err := s.journal.Export(m.volume)
		if err != nil {
			return err
		}
		if ok && e.Pool == m.poolName && len(e.Grants) > 0 {
			return fault.New(fault.Unsupported, "writes to volume %s, which is attached, cannot be held back, so that the snapshots would not be of one moment; detach it, or use a group type that does not ask for consistent snapshots", m.volume)
		}
	}
	return nil
}

// takeAll takes one after the other. What an attempt that was interrupted has
// left of them is of another moment, and goes first.
func (s *Server) takeAll(ctx context.Context, members []member) error {
	if err := s.clearAll(ctx, members); err != nil {
		return err
	}
	for _, m := range members {
		if err := s.journal.Accept(m.fence); err != nil {
			return err
		}
	}
	for _, m := range members {
		err := m.pool.Storage.Snapshot(ctx, backend.VolumeName(m.volume), backend.SnapshotName(m.fence.Resource))
		if err != nil {
			return fmt.Errorf("snapshot of volume %s: %w", m.volume, err)
		}
	}
	return nil
}

func (s *Server) clearAll(ctx context.Context, members []member) error {
	there := map[string]map[string]bool{} // by pool, by name
	for _, m := range members {
		if there[m.poolName] == nil {
			entries, err := m.pool.Storage.List(ctx)
			if err != nil {
				return err
			}
			names := map[string]bool{}
			for _, e := range entries {
				names[e.Name] = true
			}
			there[m.poolName] = names
		}
		name := backend.SnapshotName(m.fence.Resource)
		if !there[m.poolName][name] {
			continue
		}
		if err := s.journal.Check(m.fence); err != nil {
			return err // it is somebody else's by now
		}
		if err := m.pool.Storage.Delete(ctx, name); err != nil {
			return err
		}
		ring(m.pool.wipe)
	}
	return nil
}
