package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler/placement"
)

func init() {
	register((*Runner).groupCreate, Control{CannotCancel: "what it waits for, the copies of a source's volumes, are jobs of their own: cancel those", CannotRetry: askAgain})
}

// groupCreate gives a new group its pool: one that every volume type of the group
// can be in. A group that is made from a source has a pool already, the
// source's, and is there when its volumes are. Nothing is done on a node.
func (r *Runner) groupCreate(ctx context.Context, job *river.Job[db.GroupCreateArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, func(ctx context.Context, run *run) error {
		g, err := r.DB.Group(ctx, job.Args.GroupID, "")
		if fault.Is(err, fault.NotFound) || err == nil && g.Status != db.GroupCreating {
			return nil
		}
		if err != nil {
			return err
		}
		if g.PoolID != nil {
			return run.awaitMembers(ctx, g)
		}
		return run.placeGroup(ctx, g, job.Args)
	})
}

// awaitMembers ends the creation of a group from a source when all volumes are
// made, or one is not.
func (r *run) awaitMembers(ctx context.Context, g db.Group) error {
	m, err := r.DB.GroupMembers(ctx, g.ID, "")
	switch {
	case err != nil:
		return err
	case m.Creating > 0:
		return errAgain
	case m.Failed > 0:
		return r.failGroup(ctx, g, fmt.Sprintf("%d of its %d volumes could not be made.", m.Failed, m.All))
	}
	pool, err := r.DB.PoolOf(ctx, *g.PoolID)
	if err != nil {
		return err
	}
	return r.finishGroup(ctx, g, pool)
}

func (r *run) finishGroup(ctx context.Context, g db.Group, pool db.PoolService) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishGroup(ctx, g, pool.Pool) })
}

// failGroup ends the creation, and tells the user.
func (r *run) failGroup(ctx context.Context, g db.Group, text string) error {
	slog.WarnContext(ctx, "group was not created", "group", g.ID, "reason", text)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.MoveGroupAt(ctx, g, db.GroupCreateFailed, text, nil); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewGroupMessage(g, db.ActionScheduleAllocate, db.DetailNoBackendAvailable, text, r.request))
	})
}

func (r *run) placeGroup(ctx context.Context, g db.Group, args db.GroupCreateArgs) error {
	requests, err := r.groupRequests(ctx, g, args)
	if err != nil {
		return err
	}
	pools, err := r.pools.snapshot(ctx, now)
	if err != nil {
		return err
	}
	best, why := r.groupPool(pools, requests)
	switch {
	case best != nil:
		slog.DebugContext(ctx, "pool chosen", "group", g.ID, "pool", best.Name)
		return r.finishGroup(ctx, g, *best)
	case time.Since(r.since) < r.Grace && r.awaitsNodes(db.Volume{}, pools):
		return errAgain
	}
	return r.failGroup(ctx, g, why)
}

// groupRequests are what a pool must fulfil for each volume type. The group type
// asks nothing of a pool, as in Cinder, whose drivers read its specs and whose
// scheduler does not; what it promises of snapshots is kept by whoever takes them.
func (r *run) groupRequests(ctx context.Context, g db.Group, args db.GroupCreateArgs) ([]placement.Request, error) {
	requests := make([]placement.Request, 0, len(g.VolumeTypes))
	for _, id := range g.VolumeTypes {
		kind, err := r.DB.VolumeType(ctx, id, "")
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
		if err := unlessGone(err); err != nil {
			return nil, err
		}
		requests = append(requests, placement.Request{AvailabilityZones: args.Zones, ExtraSpecs: kind.ExtraSpecs})
	}
	return requests, nil
}

// groupPool is the pool that fulfils all requests and is the best for the last of
// them; nil, and why, when there is none.
func (r *run) groupPool(pools []db.PoolService, requests []placement.Request) (best *db.PoolService, why string) {
	left := Snapshot(pools, time.Now(), r.DownTime)
	var decision placement.Decision
	for _, request := range requests {
		decision = r.Placer.Place(left, request)
		if len(decision.Ranked) == 0 {
			return nil, decision.UserMessage()
		}
		left = left[:0:0]
		for _, choice := range decision.Ranked {
			left = append(left, choice.Pool)
		}
	}
	i := slices.IndexFunc(pools, func(p db.PoolService) bool { return p.Name == decision.Ranked[0].Pool.Name })
	return &pools[i], ""
}
