package volumed

import (
	"context"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// Revert implements rpc.Volumed. Nobody is let in while it goes on: it holds the
// export's lock, as Destroy does.
func (s *Server) Revert(ctx context.Context, f rpc.Fence, poolName, snapshotID string, bytes int64) (*rpc.Operation, error) {
	p, fence, err := s.admit(f, poolName, false, checkID("snapshot_id", snapshotID), checkBytes(bytes))
	if err == nil && snapshotID == f.ResourceID {
		err = fault.New(fault.Invalid, "a snapshot and its volume have different ids")
	}
	if err != nil {
		return nil, err
	}
	return s.work.run(ctx, task{
		kind: "revert", fence: fence, limit: copyLimit, total: bytes,
		locks: []want{
			{space: storageOf, id: f.ResourceID}, {space: storageOf, id: snapshotID, shared: true},
			{space: exportOf, id: f.ResourceID},
		},
		do: func(ctx context.Context, o *operation) error {
			release, err := s.alone(ctx, f.ResourceID, poolName)
			if err != nil {
				return err
			}
			defer release()
			defer ring(p.wipe) // the volume as it was may be trash now
			return p.Storage.Revert(ctx, backend.VolumeName(f.ResourceID), backend.SnapshotName(snapshotID), bytes, o.bytesDone.Store)
		},
	})
}
