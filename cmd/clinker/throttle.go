package main

import (
	"context"
	"log/slog"
	"path/filepath"

	"clinker/internal/conf"
	"clinker/volumed"
	"clinker/volumed/throttle"
)

// openThrottle opens what limits a backend's volumes, nil where that cannot be had.
func openThrottle(ctx context.Context, cfg *conf.Config, b *conf.Backend) volumed.Throttle {
	c, err := throttle.Open(throttle.Options{MountPoint: filepath.Join(cfg.StatePath, "blkio")})
	if err != nil {
		slog.WarnContext(ctx, "volumes are not limited to their back-end QoS specs", "backend", b.Name, "reason", err)
		return nil
	}
	return c
}

// truth is Cinder's way to write a capability that is or is not there.
func truth(is bool) string {
	if is {
		return "True"
	}
	return "False"
}
