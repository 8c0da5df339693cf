package jobs

import (
	"context"
	"slices"
	"sync"
	"time"

	"clinker/db"
)

// How old what is known of the pools may be for a choice: a burst of creates
// reads them some times a second, and not once for each. Before a volume is
// refused they are read anew.
const (
	recently = 50 * time.Millisecond
	now      = time.Duration(0)
	// lately is for where a pool's node listens, which hardly ever changes: a node
	// that has just been moved is silent for as long.
	lately = time.Second
)

// poolCache is what the jobs of one process know of the pools. Whether there is
// room is decided by the claim, in the database.
type poolCache struct {
	db *db.DB

	mu    sync.Mutex
	pools []db.PoolService
	read  time.Time
}

// snapshot gives the pools as they were at most age ago. Callers must not
// change what the elements point to.
func (c *poolCache) snapshot(ctx context.Context, age time.Duration) ([]db.PoolService, error) {
	asked := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read.Before(asked.Add(-age)) {
		pools, err := c.db.Pools(ctx)
		if err != nil {
			return nil, err
		}
		c.pools, c.read = pools, asked
	}
	return slices.Clone(c.pools), nil
}

// whereIs gives where a pool is.
func (r *Runner) whereIs(ctx context.Context, poolID string) (place, error) {
	known, err := r.pools.snapshot(ctx, lately)
	if err != nil {
		return place{}, err
	}
	for _, p := range known {
		if p.ID == poolID {
			return placeOf(p), nil
		}
	}
	pool, err := r.DB.PoolOf(ctx, poolID)
	return placeOf(pool), err
}

// claimed counts a claim that was made since, so that the next choice sees it.
func (c *poolCache) claimed(poolID string, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.pools {
		if p := &c.pools[i]; p.ID == poolID {
			p.AllocatedBytes += bytes
			p.VolumeCount++
			p.ClaimsSincePoll++
		}
	}
}

// forget has the next choice read anew.
func (c *poolCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = time.Time{}
}
