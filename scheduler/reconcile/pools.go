package reconcile

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"clinker/db"
	"clinker/volumed/rpc"
)

// comparison is of what the node of a pool has with the rows, for all pools in turn.
type comparison struct {
	name  string
	every time.Duration // at least that long from the begin of one round to the next
	do    func(r *Reconciler, ctx context.Context, p db.PoolService, node rpc.Volumed) error
}

// comparisons is filled by init functions, one per file, and only read afterwards.
var comparisons []comparison

const (
	// atOnce bounds how many nodes are asked at the same time.
	atOnce = 8
	// poolTime bounds what one pool takes of a round: a silent node must not keep the
	// others from their turn.
	poolTime = 20 * time.Second
	// rests is how many times as long as a round took the next one waits for, where
	// that is longer than it would anyhow: with a million volumes, comparing is not to
	// be all that schedulers and database do.
	rests = 3
)

// reads are the statements under way about all that a pool holds: two of a process,
// whose connections the jobs want as well.
var reads = make(chan struct{}, 2)

// ofPool reads what a pool holds, of which nothing has changed for some time, when it
// is its turn.
func ofPool[T any](ctx context.Context, r *Reconciler, p db.PoolService, read func(ctx context.Context, poolID string, quiet time.Duration) ([]T, error)) ([]T, error) {
	select {
	case reads <- struct{}{}:
		defer func() { <-reads }()
		return read(ctx, p.ID, r.Quiet)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// compare goes round when it is time, until ctx ends.
func (r *Reconciler) compare(ctx context.Context, c comparison) {
	r.whenDue(ctx, c.name, c.every, func(ctx context.Context) error {
		took, err := r.round(ctx, c)
		if err != nil {
			return err
		}
		return r.DB.PutOffChore(ctx, c.name, c.every, rests*took)
	})
}

// round compares every pool whose node is up, however many there are: would it end at
// some time, it would be the same ones each time that are left out. What fails for one
// is logged. It tells how long it took, without the waiting for what failed.
func (r *Reconciler) round(ctx context.Context, c comparison) (took time.Duration, err error) {
	pools, err := r.DB.Pools(ctx)
	if err != nil {
		return 0, err
	}
	var running sync.WaitGroup
	slots, spent, kept := make(chan struct{}, atOnce), make(chan time.Duration, len(pools)), time.Now()
	for _, p := range pools {
		slots <- struct{}{}
		if ctx.Err() == nil && time.Since(kept) > c.every/2 {
			kept = time.Now()
			if err := r.DB.PutOffChore(ctx, c.name, c.every, c.every); err != nil {
				slog.WarnContext(ctx, "other schedulers may begin the same", "chore", c.name, "error", err)
			}
		}
		running.Go(func() {
			defer func() { <-slots }()
			spent <- r.comparePool(ctx, c, p)
		})
	}
	running.Wait()
	close(spent)
	for one := range spent {
		took += one / atOnce
	}
	return took, ctx.Err()
}

// comparePool does it for one pool, and tells how long that took; 0 when it failed.
func (r *Reconciler) comparePool(ctx context.Context, c comparison, p db.PoolService) time.Duration {
	began := time.Now()
	if ctx.Err() != nil || !p.Service.Up(began, r.DownTime) {
		return 0
	}
	own, cancel := context.WithTimeout(ctx, poolTime)
	defer cancel()
	if err := c.do(r, own, p, r.Nodes.Node(p.Service.Endpoint)); err != nil {
		if ctx.Err() == nil {
			slog.InfoContext(ctx, "pool could not be compared", "chore", c.name, "pool", p.Name, "error", err)
		}
		return 0
	}
	return time.Since(began)
}
