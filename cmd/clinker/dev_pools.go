package main

import (
	"context"
	"time"

	"clinker/db"
	"clinker/internal/fault"
)

// awaitPools waits until the scheduler has heard from a pool of every node
// since this start: only then does a volume that is asked for find a place.
func (d *dev) awaitPools(ctx context.Context, since time.Time) error {
	limit, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if pools, err := d.db.Pools(limit); err == nil && fresh(pools, since) >= len(d.nodes) {
			return nil
		}
		select {
		case err := <-d.failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.Done():
			return fault.New(fault.Timeout, "the storage nodes did not report their pools within 30 s; the log says why")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fresh counts the pools that were polled since.
func fresh(pools []db.PoolService, since time.Time) int {
	n := 0
	for _, p := range pools {
		if p.PolledAt.After(since) {
			n++
		}
	}
	return n
}
