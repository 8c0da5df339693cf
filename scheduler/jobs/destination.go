package jobs

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"clinker/db"
	"clinker/scheduler/placement"
)

// chooseDestination gives a migration the pool that is wanted, or the best that
// serves, if it has room and serves the volume's type.
func (r *run) chooseDestination(ctx context.Context, way migration, specs db.TypeSpecs) (next bool, err error) {
	pools, err := r.destinations(ctx, way)
	if err != nil {
		return false, err
	}
	request := placement.Request{SizeBytes: way.bytes(), ExtraSpecs: specs.ExtraSpecs, AvailabilityZones: zonesOf(specs.ExtraSpecs),
		BackEndQos: len(specs.BackEndQos) > 0, UnkeptQos: specs.UnkeptQos()}
	for _, tried := range r.notes.Tried {
		request.Exclude = append(request.Exclude, tried.Pool)
	}
	d := r.Placer.Place(Snapshot(pools, time.Now(), r.DownTime), request)
	if len(d.Ranked) == 0 && len(r.notes.Tried) == 0 && time.Since(r.since) < r.Grace && r.awaitsNodes(way.volume, pools) && len(pools) > 0 {
		return false, errAgain
	}
	for _, choice := range d.Ranked {
		pool := pools[slices.IndexFunc(pools, func(p db.PoolService) bool { return p.Name == choice.Pool.Name })]
		claimed, err := r.claimDestination(ctx, way, pool, request.Thick())
		if err != nil || claimed {
			return claimed, err
		}
	}
	for _, line := range d.LogLines() {
		slog.WarnContext(ctx, "no pool for a volume that is to move", "volume", way.volume.ID, "because", line)
	}
	return false, r.failMigrate(ctx, way, r.whyNowhere(d, way.Wanted))
}

func (r *run) claimDestination(ctx context.Context, way migration, pool db.PoolService, thick bool) (claimed bool, err error) {
	err = r.DB.Tx(ctx, func(tx *db.Tx) error {
		claimed, err := tx.ClaimMigration(ctx, way.volume, pool.ID, way.bytes(), thick)
		if err == nil && !claimed {
			err = errNoRoom
		}
		return err
	})
	if errors.Is(err, errNoRoom) {
		return false, nil
	}
	if err == nil {
		r.pools.claimed(pool.ID, way.bytes())
		slog.InfoContext(ctx, "a volume's new pool is chosen", "volume", way.volume.ID, "pool", pool.Name)
	}
	return err == nil, err
}

// destinations gives the pools that a volume may go to: not the one it is in.
func (r *run) destinations(ctx context.Context, way migration) ([]db.PoolService, error) {
	pools, err := r.pools.snapshot(ctx, now)
	return slices.DeleteFunc(pools, func(p db.PoolService) bool {
		host, _, _ := strings.Cut(p.Name, "#")
		wanted := way.Wanted == "" || way.Wanted == p.Name || way.Wanted == host
		return !wanted || p.ID == deref(way.volume.PoolID)
	}), err
}

// whyNowhere words why no pool serves: it names filters, and no pools.
func (r *run) whyNowhere(d placement.Decision, wanted string) string {
	if n := len(r.notes.Tried); n > 0 {
		return r.notes.Tried[n-1].Reason
	}
	switch {
	case d.Pools == 0 && wanted == "":
		return "there is no other pool"
	case d.Pools == 0:
		return "there is no such pool"
	}
	return strings.TrimSuffix(d.UserMessage(), ".")
}

// hostname is the name or address that the certificate of who answers at an
// endpoint is valid for.
func hostname(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
