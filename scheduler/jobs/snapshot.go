package jobs

import (
	"strings"
	"time"

	"clinker/db"
	"clinker/scheduler/placement"
)

// Snapshot makes of the pools' rows what placement decides upon. A pool is up
// while its service was heard of, and the pool itself measured, within downTime.
func Snapshot(pools []db.PoolService, now time.Time, downTime time.Duration) []placement.Pool {
	all := make([]placement.Pool, len(pools))
	for i, p := range pools {
		host, backend, _ := strings.Cut(p.Service.Host, "@")
		all[i] = placement.Pool{
			Name: p.Name, Host: host, Backend: backend, AvailabilityZone: p.AvailabilityZone,
			Up:       p.Service.Up(now, downTime) && now.Sub(p.PolledAt) <= downTime,
			Disabled: p.Service.Disabled || p.Service.Lost(), Frozen: p.Service.Frozen,
			TotalBytes: p.TotalBytes, FreeBytes: p.FreeBytes,
			AllocatedBytes: p.AllocatedBytes, OtherBytes: p.OtherBytes,
			Thin: p.Thin, Thick: !p.Thin,
			MaxOverSubscriptionRatio: p.MaxOverSubscriptionRatio, ReservedPercentage: p.ReservedPercentage,
			StorageProtocol: p.StorageProtocol, Volumes: p.VolumeCount, ClaimedSincePoll: p.ClaimsSincePoll, Capabilities: p.Capabilities,
			IO: placement.DiskIO{
				BusyShare: p.IOBusyShare, OperationsPerSecond: p.IOOperationsPerSecond,
				BytesPerSecond: p.IOBytesPerSecond, MeanWaitMS: p.IOMeanWaitMS,
			},
		}
	}
	return all
}
