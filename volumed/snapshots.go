package volumed

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// Snapshot implements rpc.Volumed. The volume's lock is shared: a copy that
// reads the volume for hours does not hold a snapshot up.
func (s *Server) Snapshot(ctx context.Context, f rpc.Fence, poolName, volumeID string) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, false, checkID("volume_id", volumeID))
	if err == nil && volumeID == f.ResourceID {
		err = fault.New(fault.Invalid, "a snapshot and its volume have different ids")
	}
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "snapshot", fence: fence, limit: copyLimit,
		locks: []want{{space: storageOf, id: f.ResourceID}, {space: storageOf, id: volumeID, shared: true}},
		do: func(ctx context.Context, _ *operation) error {
			return p.Storage.Snapshot(ctx, backend.VolumeName(volumeID), backend.SnapshotName(f.ResourceID))
		},
	})
}

// DestroySnapshot implements rpc.Volumed.
func (s *Server) DestroySnapshot(ctx context.Context, f rpc.Fence, poolName string) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, true)
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "destroy_snapshot", fence: fence, limit: workLimit,
		locks: []want{{space: storageOf, id: f.ResourceID}},
		do: func(ctx context.Context, _ *operation) error {
			defer ring(p.wipe)
			return p.Storage.Delete(ctx, backend.SnapshotName(f.ResourceID))
		},
	})
}
