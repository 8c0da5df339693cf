package main

import (
	"context"
	"log/slog"
	"path/filepath"

	"clinker/internal/conf"
	"clinker/volumed"
	"clinker/volumed/target"
	"clinker/volumed/target/lio"
	"clinker/volumed/throttle"
)

// openThrottle opens what limits a backend's volumes; nil where nothing does:
// files share a device, and what tgtd does is not the kernel's own I/O.
func openThrottle(ctx context.Context, cfg *conf.Config, b *conf.Backend, export target.Target) volumed.Throttle {
	if _, kernel := export.(*lio.Target); b.VolumeDriver == "file" || !kernel {
		return nil
	}
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
