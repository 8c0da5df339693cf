package volumed

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// Manageable implements rpc.Volumed.
func (s *Server) Manageable(ctx context.Context, poolName string) ([]*rpc.Candidate, error) {
	p, err := s.pool(poolName)
	if err != nil {
		return nil, err
	}
	found, err := p.Storage.Manageable(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*rpc.Candidate, len(found))
	for i, c := range found {
		kind := rpc.KindVolume
		if c.Snapshot {
			kind = rpc.KindSnapshot
		}
		id, _ := idOf(c.Name)
		all[i] = &rpc.Candidate{Kind: kind, Reference: c.Name, Bytes: c.Bytes, Origin: c.Origin, Refusal: c.Refusal, ID: id}
		if all[i].Refusal == "" && s.exported(c.Name) != nil {
			all[i].Refusal = "it is exported"
		}
	}
	return all, nil
}

// Manage implements rpc.Volumed. What bears a volume's name of ours is locked as
// that volume too, so that no late work of its former life meets it.
func (s *Server) Manage(ctx context.Context, f rpc.Fence, poolName string, kind rpc.Kind, reference string, bytes int64, volumeID string) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, false, checkBytes(bytes))
	if err != nil {
		return nil, err
	}
	adoption := backend.Adoption{Reference: reference, Bytes: bytes}
	if adoption.Name, err = nameOf(rpc.Source{Kind: kind, ID: f.ResourceID}); err != nil {
		return nil, err
	}
	if kind == rpc.KindSnapshot {
		if err := checkID("volume_id", volumeID); err != nil {
			return nil, err
		}
		adoption.Origin = backend.VolumeName(volumeID)
	}
	locks := []want{{space: storageOf, id: f.ResourceID}}
	if id, ok := idOf(reference); ok && id != f.ResourceID {
		locks = append(locks, want{space: storageOf, id: id}, want{space: exportOf, id: id})
	}
	return s.work.run(ctx, task{
		kind: "manage", fence: fence, limit: workLimit, locks: locks,
		do: func(ctx context.Context, _ *operation) error {
			if err := s.exported(reference); err != nil {
				return err
			}
			return p.Storage.Manage(ctx, adoption)
		},
	})
}

// Unmanage implements rpc.Volumed. It ends the resource for the fence: what was
// asked for it before comes too late.
func (s *Server) Unmanage(ctx context.Context, f rpc.Fence, poolName string, kind rpc.Kind, reference string) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, true)
	if err != nil {
		return nil, err
	}
	name, err := nameOf(rpc.Source{Kind: kind, ID: f.ResourceID})
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "unmanage", fence: fence, limit: workLimit,
		locks: []want{{space: storageOf, id: f.ResourceID}, {space: exportOf, id: f.ResourceID}},
		do: func(ctx context.Context, _ *operation) error {
			if kind == rpc.KindVolume {
				if err := s.unexported(ctx, f.ResourceID, poolName); err != nil {
					return err
				}
			}
			if reference == "" || reference == name {
				return nil
			}
			return p.Storage.Unmanage(ctx, name, reference)
		},
	})
}

// exported is Busy when the name is that of a volume that somebody can log in to.
func (s *Server) exported(name string) error {
	id, ok := backend.VolumeID(name)
	if !ok {
		return nil
	}
	e, ok, err := s.journal.Export(id)
	if err == nil && ok && len(e.Grants) > 0 {
		err = fault.New(fault.Busy, "%s is exported to %d attachments", name, len(e.Grants))
	}
	return err
}

// idOf gives the id in a name of ours, "" and false for a stranger's.
func idOf(name string) (string, bool) {
	id, ok := backend.VolumeID(name)
	if !ok {
		id, ok = backend.SnapshotID(name)
	}
	if !ok || checkID("reference", id) != nil {
		return "", false
	}
	return id, true
}
