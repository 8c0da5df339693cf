package volumed

import (
	"context"

	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// Stored implements rpc.Volumed.
func (s *Server) Stored(ctx context.Context, poolName string) ([]*rpc.Stored, error) {
	p, err := s.pool(poolName)
	if err != nil {
		return nil, err
	}
	live, err := p.Storage.List(ctx)
	if err != nil {
		return nil, err
	}
	trash, err := p.Storage.Trash(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]*rpc.Stored, 0, len(live)+len(trash))
	for _, e := range live {
		all = append(all, s.stored(e))
	}
	for _, e := range trash {
		all = append(all, &rpc.Stored{Kind: rpc.KindTrash, ID: e.Name, Bytes: e.Bytes})
	}
	return all, nil
}

func (s *Server) stored(e backend.Entry) *rpc.Stored {
	kind := rpc.KindVolume
	id, ok := backend.VolumeID(e.Name)
	if !ok {
		id, _ = backend.SnapshotID(e.Name)
		kind = rpc.KindSnapshot
	}
	return &rpc.Stored{Kind: kind, ID: id, Bytes: e.Bytes, Generation: s.journal.Generation(id)}
}
