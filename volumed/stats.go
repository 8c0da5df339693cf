package volumed

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"clinker/volumed/rpc"
)

// Stats implements rpc.Volumed. A pool that cannot be read is left out: the
// scheduler places nothing there.
func (s *Server) Stats(ctx context.Context) (*rpc.Stats, error) {
	names := slices.Sorted(maps.Keys(s.pools))
	read := make([]*rpc.Pool, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			stats, err := s.poolStats(ctx, name)
			if err != nil {
				slog.WarnContext(ctx, "pool cannot be read", "pool", name, "error", err)
				return
			}
			read[i] = stats
		})
	}
	all.Wait()
	node := s.self()
	return &rpc.Stats{Node: &node, Pools: slices.DeleteFunc(read, func(p *rpc.Pool) bool { return p == nil })}, nil
}

func (s *Server) poolStats(ctx context.Context, name string) (*rpc.Pool, error) {
	p, err := s.pool(name)
	if err != nil {
		return nil, err
	}
	c, err := p.Storage.Capacity(ctx)
	if err != nil {
		return nil, err
	}
	io := s.options.DiskIO.Read(c.Disks)
	return &rpc.Pool{
		Backend:                  p.Backend,
		Name:                     p.Name,
		TotalBytes:               c.TotalBytes,
		FreeBytes:                c.FreeBytes,
		ProvisionedBytes:         c.ProvisionedBytes,
		LiveBytes:                c.LiveBytes,
		Thin:                     c.Thin,
		MaxOverSubscriptionRatio: p.MaxOverSubscriptionRatio,
		ReservedPercentage:       int32(p.ReservedPercentage),
		StorageProtocol:          p.Target.Traits().StorageProtocol,
		Capabilities:             p.Capabilities,
		AvailabilityZone:         p.AvailabilityZone,
		Io: &rpc.DiskIO{
			BusyShare:           io.BusyShare,
			OperationsPerSecond: io.OperationsPerSecond,
			BytesPerSecond:      io.BytesPerSecond,
			MeanWaitMs:          io.MeanWaitMS,
		},
	}, nil
}
