package lvm

import (
	"context"
	"fmt"
	"strings"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

func (t *thin) capacity(ctx context.Context, r *report) (backend.Capacity, error) {
	pool, ok := r.find(t.name)
	if !ok {
		return backend.Capacity{}, fault.New(fault.Unavailable, "the thin pool is not there any more")
	}
	status, err := t.status(ctx)
	if err != nil {
		return backend.Capacity{}, err
	}
	if failed(status) {
		return backend.Capacity{}, fault.New(fault.Unavailable, "the kernel writes to thin pool %s no more (%s): if its metadata are full, lvextend --poolmetadatasize; "+
			"else lvconvert --repair", t.path(t.name), status)
	}
	used, err := parseFilling(status)
	if err != nil {
		return backend.Capacity{}, err
	}
	c := backend.Capacity{TotalBytes: pool.Bytes, FreeBytes: int64(float64(pool.Bytes) * (1 - used)), Thin: true}
	for _, v := range r.volumes {
		if t.holds(v) {
			c.ProvisionedBytes += v.Bytes
		}
	}
	return c, nil
}

// status is what the kernel says of the pool, which is activated for that if need be.
func (t *thin) status(ctx context.Context) (string, error) {
	for range 2 {
		// With volumes active the pool is a layer below them and itself.
		for _, layer := range [][]string{{"tpool"}, nil} {
			d, active, err := t.mapped(t.name, layer...)
			if err != nil {
				return "", err
			}
			if active && d.Type() == "thin-pool" {
				return d.Targets[0].Status, nil
			}
		}
		if err := t.change(ctx, "lvchange", "-y", "-ay", t.path(t.name)); err != nil {
			return "", err
		}
	}
	return "", fault.New(fault.Unavailable, "the thin pool cannot be activated")
}

// parseFilling reads how full a thin pool is, from 0 to 1, from the kernel's
// status (Documentation/admin-guide/device-mapper/thin-provisioning.rst):
//
//	<transaction id> <used metadata>/<total> <used data>/<total> <held root> <mode> …
//
// Whichever of metadata and data is fuller counts: without either nothing can be
// written. Metadata are full when LVM makes no volumes any more.
func parseFilling(status string) (float64, error) {
	var transaction, usedMetadata, metadata, usedData, data uint64
	_, err := fmt.Sscanf(status, "%d %d/%d %d/%d", &transaction, &usedMetadata, &metadata, &usedData, &data)
	if err != nil || metadata == 0 || data == 0 {
		return 0, fmt.Errorf("the kernel's status of the thin pool is %q", status)
	}
	return min(1, max(float64(usedMetadata)/float64(metadata-spare(metadata)), float64(usedData)/float64(data))), nil
}

// spare is how many blocks of its metadata, each of 4 KiB, a thin pool must have left
// for LVM to make a volume or a snapshot in it: a quarter, or 4 MiB of more than 16
// (pool_metadata_min_threshold in LVM's lib/metadata/thin_manip.c).
func spare(metadata uint64) uint64 { return min(metadata/4, 4<<20/4096) }

// failed tells from its status whether a pool has stopped to take writes, be it full or
// not: its metadata cannot be written (Fail, Error) or are not to be (ro).
func failed(status string) bool {
	words := strings.Fields(status)
	return status == "Fail" || status == "Error" || len(words) > 4 && words[4] == "ro"
}
