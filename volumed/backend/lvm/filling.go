package lvm

import (
	"fmt"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

func (t *thin) capacity(r *report) (backend.Capacity, error) {
	pool, ok := r.find(t.name)
	if !ok {
		return backend.Capacity{}, fault.New(fault.Unavailable, "the thin pool is not there any more")
	}
	d, active, err := t.mapped(t.name, "tpool")
	if err != nil {
		return backend.Capacity{}, err
	}
	if !active || len(d.Targets) != 1 {
		return backend.Capacity{}, fault.New(fault.Unavailable, "the thin pool is not active")
	}
	used, err := parseFilling(d.Targets[0].Status)
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

// parseFilling reads how full a thin pool is, from 0 to 1, from the kernel's
// status (Documentation/admin-guide/device-mapper/thin-provisioning.rst):
//
//	<transaction id> <used metadata>/<total> <used data>/<total> …
//
// Whichever of metadata and data is fuller counts: without either nothing can be
// written. A pool that has failed says "Fail" or "Error" and is full.
func parseFilling(status string) (float64, error) {
	var transaction, usedMetadata, metadata, usedData, data uint64
	if status == "Fail" || status == "Error" {
		return 1, nil
	}
	_, err := fmt.Sscanf(status, "%d %d/%d %d/%d", &transaction, &usedMetadata, &metadata, &usedData, &data)
	if err != nil || metadata == 0 || data == 0 {
		return 0, fmt.Errorf("the kernel's status of the thin pool is %q", status)
	}
	return min(1, max(float64(usedMetadata)/float64(metadata), float64(usedData)/float64(data))), nil
}
