package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler/placement"
	"clinker/volumed/rpc"
)

// place is where a volume is.
type place struct {
	name     string // host@backend#pool
	pool     string // backend#pool, the node's own name for it
	endpoint string
}

func placeOf(p db.PoolService) place {
	return place{name: p.Name, pool: rpc.PoolOf(p.Name), endpoint: p.Service.Endpoint}
}

// noPool says that no pool can serve.
type noPool struct {
	decision placement.Decision
	text     string // for the user
}

func (n *noPool) Error() string { return n.text }

// place gives the volume's pool. A volume without one gets the best that has
// room, and v its claim; of two schedulers that choose at once, or for the last
// bytes, one meets Conflict and begins again. *noPool when none can serve.
func (r *run) place(ctx context.Context, v *db.Volume, specs db.TypeSpecs, args db.VolumeCreateArgs) (place, error) {
	if v.PoolID != nil {
		return r.whereIs(ctx, *v.PoolID)
	}
	request, err := r.placeRequest(ctx, *v, specs, args)
	if err != nil {
		return place{}, err
	}
	pools, decision, err := r.decide(ctx, *v, request, recently)
	if err == nil && len(decision.Ranked) == 0 {
		pools, decision, err = r.decide(ctx, *v, request, now)
	}
	if err != nil {
		return place{}, err
	}
	if len(decision.Ranked) == 0 && time.Since(r.since) < r.Grace && r.awaitsNodes(*v, pools) {
		return place{}, errAgain
	}
	if len(decision.Ranked) == 0 {
		return place{}, &noPool{decision, r.explain(*v, decision)}
	}
	return r.claim(ctx, v, pools, decision, request.Thick())
}

// awaitsNodes tells whether a node that is not up, or not known yet, might serve.
func (r *run) awaitsNodes(v db.Volume, pools []db.PoolService) bool {
	if len(pools) == 0 {
		_, copied := sourceOf(v)
		return !copied && v.GroupID == nil
	}
	return slices.ContainsFunc(Snapshot(pools, time.Now(), r.DownTime), func(p placement.Pool) bool { return !p.Up })
}

// decide asks placement, with what is known of the pools at most that long.
func (r *run) decide(ctx context.Context, v db.Volume, request placement.Request, age time.Duration) ([]db.PoolService, placement.Decision, error) {
	pools, err := r.pools.snapshot(ctx, age)
	if err != nil {
		return nil, placement.Decision{}, err
	}
	if pools, err = r.besideSource(ctx, v, pools); err != nil {
		return nil, placement.Decision{}, err
	}
	if pools, err = r.besideGroup(ctx, v, pools); err != nil {
		return nil, placement.Decision{}, err
	}
	choices := Snapshot(pools, time.Now(), r.DownTime)
	if request.BackupStore != "" {
		err = r.withStores(ctx, pools, choices)
	}
	return pools, r.Placer.Place(choices, request), err
}

// claim takes the first of the ranked pools that still has room.
func (r *run) claim(ctx context.Context, v *db.Volume, pools []db.PoolService, d placement.Decision, thick bool) (place, error) {
	for _, choice := range d.Ranked {
		pool := pools[slices.IndexFunc(pools, func(p db.PoolService) bool { return p.Name == choice.Pool.Name })]
		bytes := int64(v.SizeGiB) << 30
		claimed, err := r.DB.Claim(ctx, v.ID, pool.ID, bytes, thick)
		if err != nil {
			return place{}, err
		}
		if claimed {
			r.pools.claimed(pool.ID, bytes)
			slog.DebugContext(ctx, "pool chosen", "volume", v.ID, "pool", pool.Name, "because", strings.Join(choice.Reasons, ", "))
			v.PoolID, v.Host = &pool.ID, &pool.Name
			return placeOf(pool), nil
		}
	}
	r.pools.forget()
	return place{}, fault.New(fault.Conflict, "others were faster at every pool that had room for volume %s", v.ID)
}

func (r *run) placeRequest(ctx context.Context, v db.Volume, specs db.TypeSpecs, args db.VolumeCreateArgs) (placement.Request, error) {
	request := placement.Request{SizeBytes: int64(v.SizeGiB) << 30, AvailabilityZones: args.Zones, ExtraSpecs: specs.ExtraSpecs, BackEndQos: len(specs.BackEndQos) > 0, UnkeptQos: specs.UnkeptQos()}
	for _, tried := range r.notes.Tried {
		request.Exclude = append(request.Exclude, tried.Pool)
	}
	store, err := r.storeOf(ctx, v)
	if err != nil {
		return request, err
	}
	request.BackupStore = store
	if request.SameHost, err = r.DB.HostsOf(ctx, v.ProjectID, args.SameHost); err != nil {
		return request, err
	}
	request.DifferentHost, err = r.DB.HostsOf(ctx, v.ProjectID, args.DifferentHost)
	return request, err
}

// besideSource leaves only the source's pool for a copy: a node copies within a
// pool. None are left when the source is gone.
func (r *run) besideSource(ctx context.Context, v db.Volume, pools []db.PoolService) ([]db.PoolService, error) {
	source, copied := sourceOf(v)
	if !copied {
		return pools, nil
	}
	id, err := r.sourcePool(ctx, source)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(pools), func(p db.PoolService) bool {
		return id == nil || p.ID != *id
	}), nil
}

// besideGroup leaves only the group's pool for a volume of a group.
func (r *run) besideGroup(ctx context.Context, v db.Volume, pools []db.PoolService) ([]db.PoolService, error) {
	if v.GroupID == nil {
		return pools, nil
	}
	id, err := r.DB.GroupPool(ctx, *v.GroupID)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(pools), func(p db.PoolService) bool { return id == nil || p.ID != *id }), nil
}

// explain words for the user why no pool can serve; it names none.
func (r *run) explain(v db.Volume, d placement.Decision) string {
	text := d.UserMessage()
	if source, copied := sourceOf(v); copied {
		why := explainSource(source, d.Pools)
		if text = why + " " + text; d.Pools == 0 {
			text = why
		}
	}
	if v.BackupID != nil {
		text = "The volume must be where its backup can be read. " + text
	}
	if v.GroupID != nil {
		text = "The volume must be in the pool of its group. " + text
	}
	if n := len(r.notes.Tried); n > 0 {
		text += fmt.Sprintf(" Of the pools tried, the last failed: %s.", strings.TrimSuffix(r.notes.Tried[n-1].Reason, "."))
	}
	return text
}
