package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"clinker/internal/conf"
	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/volumed"
	"clinker/volumed/backend"
)

// openPools opens every backend that the configuration enables, with its target. One
// whose disks are not there does not keep the others from being served, if there are any.
func openPools(ctx context.Context, cfg *conf.Config, targets targets) ([]volumed.Pool, error) {
	if len(cfg.Backends) == 0 {
		return nil, fault.New(fault.Invalid, "[DEFAULT] enabled_backends is empty: name the sections of the backends that this node serves")
	}
	var pools []volumed.Pool
	node := pace.New(cfg.VolumeCopyBPSLimit)
	for i := range cfg.Backends {
		pool, err := openPool(ctx, cfg, &cfg.Backends[i], targets)
		if err != nil {
			return nil, fmt.Errorf("[%s] %w", cfg.Backends[i].Name, err)
		}
		if pool.CopyBudget = node; cfg.Backends[i].VolumeCopyBPSLimit != cfg.VolumeCopyBPSLimit {
			pool.CopyBudget = pace.New(cfg.Backends[i].VolumeCopyBPSLimit)
		}
		pools = append(pools, pool)
	}
	if !slices.ContainsFunc(pools, func(p volumed.Pool) bool { return p.Trouble == nil }) {
		return nil, pools[0].Trouble
	}
	return pools, nil
}

func openPool(ctx context.Context, cfg *conf.Config, b *conf.Backend, targets targets) (volumed.Pool, error) {
	from, known := drivers[b.VolumeDriver]
	if !known {
		return volumed.Pool{}, fault.New(fault.Invalid, "volume_driver = %s is no backend of this program", b.VolumeDriver)
	}
	storage, err := from.open(ctx, b)
	var trouble error
	if fault.Is(err, fault.Unavailable) {
		trouble, err = fmt.Errorf("[%s] %w", b.Name, err), nil
	}
	if err != nil {
		return volumed.Pool{}, err
	}
	export, err := targets.open(ctx, b)
	if err != nil {
		return volumed.Pool{}, err
	}
	var limits volumed.Throttle
	if from.devices && export.Traits().InKernel {
		limits = openThrottle(ctx, cfg, b)
	}
	return volumed.Pool{
		Backend: b.Name, Name: b.VolumeBackendName, Storage: storage, Target: export, IQNPrefix: b.TargetPrefix, Throttle: limits,
		AvailabilityZone:         b.BackendAvailabilityZone,
		MaxOverSubscriptionRatio: overSubscription(b.MaxOverSubscriptionRatio), ReservedPercentage: b.ReservedPercentage,
		Capabilities:       capabilities(b, limits != nil),
		WipeBytesPerSecond: b.VolumeClearBytesPerSecond,
		Open:               func(ctx context.Context) (backend.Backend, error) { return from.open(ctx, b) }, Trouble: trouble,
	}, nil
}

// capabilities are what types can ask for by name, and how the pool keeps images.
func capabilities(b *conf.Backend, limits bool) map[string]string {
	all := map[string]string{"volume_backend_name": b.VolumeBackendName, "vendor_name": "Clinker", "multiattach": "True", "QoS_support": truth(limits)}
	if b.ImageVolumeCacheEnabled {
		all["image_volume_cache_enabled"] = truth(true)
		all["image_volume_cache_max_size_gb"] = strconv.Itoa(b.ImageVolumeCacheMaxSizeGB)
		all["image_volume_cache_max_count"] = strconv.Itoa(b.ImageVolumeCacheMaxCount)
	}
	return all
}

// driver is one value of volume_driver.
type driver struct {
	open    func(context.Context, *conf.Backend) (backend.Backend, error)
	devices bool // each volume is a block device of its own, which the kernel can limit
}

// drivers are all of them, each added by its own file.
var drivers = map[string]driver{}

// overSubscription turns max_over_subscription_ratio = auto into Cinder's
// default of 20.
func overSubscription(r conf.Ratio) float64 {
	if r.Auto {
		return 20
	}
	return r.Fix
}
