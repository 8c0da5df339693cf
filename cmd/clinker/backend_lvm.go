package main

import (
	"context"

	"clinker/internal/conf"
	"clinker/volumed/backend"
	"clinker/volumed/backend/lvm"
)

func init() {
	drivers["lvm"] = driver{devices: true, open: func(ctx context.Context, b *conf.Backend) (backend.Backend, error) {
		o := lvm.Options{VolumeGroup: b.VolumeGroup, Owner: b.BackendHost, Auto: b.LVMType == "auto"}
		if b.LVMType != "default" {
			o.ThinPool = b.LVMThinPool
		}
		return lvm.Open(ctx, o)
	}}
}
