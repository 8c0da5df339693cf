package reconcile

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"clinker/db"
	"clinker/volumed/rpc"
)

// atOnce bounds how many nodes are asked at the same time.
const atOnce = 8

// eachPool does something for every pool whose node is up. What fails for one
// is logged and does not keep the others from their turn.
func (r *Reconciler) eachPool(ctx context.Context, chore string, do func(ctx context.Context, p db.PoolService, node rpc.Volumed) error) error {
	pools, err := r.DB.Pools(ctx)
	if err != nil {
		return err
	}
	slots := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for _, p := range pools {
		if !p.Service.Up(time.Now(), r.DownTime) {
			continue
		}
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			if err := do(ctx, p, r.Nodes.Node(p.Service.Endpoint)); err != nil && ctx.Err() == nil {
				slog.InfoContext(ctx, "pool could not be compared", "chore", chore, "pool", p.Name, "error", err)
			}
		})
	}
	running.Wait()
	return nil
}
