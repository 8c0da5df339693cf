package main

import (
	"time"

	"clinker/db"
	"clinker/scheduler/jobs"
	"clinker/scheduler/placement"
)

// serves gives the scheduler's rule for whether a pool's capabilities fulfil a
// volume type: the API lists pools by type with it.
func serves(downTime time.Duration) (func(extraSpecs map[string]string, pool db.PoolService) bool, error) {
	placer, err := placement.New(placement.Options{Filters: []string{"CapabilitiesFilter"}, Weighers: []string{}})
	return func(extraSpecs map[string]string, pool db.PoolService) bool {
		one := jobs.Snapshot([]db.PoolService{pool}, time.Now(), downTime)
		// A pool that is away for the moment still is one of its type's.
		one[0].Up, one[0].Disabled, one[0].Frozen = true, false, false
		return len(placer.Place(one, placement.Request{ExtraSpecs: extraSpecs}).Ranked) == 1
	}, err
}
