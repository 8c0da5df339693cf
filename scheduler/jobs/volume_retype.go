package jobs

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/scheduler/placement"
)

func init() { register((*Runner).volumeRetype, Control{CannotCancel: tooShort, CannotRetry: askAgain}) }

// volumeRetype gives a volume the type that it is to have, when the pool it is
// in serves that type: all that may change on the node is what limits the volume. Otherwise the volume
// keeps the type it had, and its user is told why.
func (r *Runner) volumeRetype(ctx context.Context, job *river.Job[db.VolumeRetypeArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Volume, job.Args.VolumeID, volumeIs("retyping"), (*run).retype))
}

func (r *run) retype(ctx context.Context, v db.Volume) error {
	to, err := r.DB.RetypeOf(ctx, v.ID)
	if fault.Is(err, fault.NotFound) {
		return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.RefuseRetype(ctx, v, "it is to have no other type") })
	}
	if err != nil {
		return err
	}
	differs, err := r.encryptedDifferently(ctx, v, to)
	if err != nil {
		return err
	}
	if differs {
		return r.refuseRetype(ctx, v, to, "the types are encrypted differently")
	}
	reason, err := r.refusesType(ctx, v, to)
	switch {
	case err != nil:
		return err
	case reason != "" && to.MigrationPolicy == db.MigrateOnDemand:
		return r.moveForRetype(ctx, v, to, reason)
	case reason != "":
		return r.refuseRetype(ctx, v, to, reason)
	}
	reason, err = r.limit(ctx, v, to.VolumeTypeID, v.SizeGiB)
	switch {
	case err != nil:
		return err
	case reason != "":
		return r.refuseRetype(ctx, v, to, reason)
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.FinishRetype(ctx, v, to) })
}

// moveForRetype has the volume come to a pool that serves its new type, unless it
// cannot be moved.
func (r *run) moveForRetype(ctx context.Context, v db.Volume, to db.Retype, reason string) error {
	stays := ""
	err := r.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if stays, err = tx.MovesNot(ctx, v); err != nil || stays != "" {
			return err
		}
		attached, err := tx.AttachmentsIn(ctx, v.ID)
		if servers := serversOf(attached); servers != nil {
			stays = r.cannotSwap(v, servers)
		}
		if err != nil || stays != "" {
			return err
		}
		return tx.MigrateForRetype(ctx, v, r.request)
	})
	if err != nil || stays == "" {
		return err
	}
	return r.refuseRetype(ctx, v, to, reason+", and it cannot be moved: "+stays)
}

// refusesType says why the volume cannot have the type where it is, "" when it
// can.
func (r *run) refusesType(ctx context.Context, v db.Volume, to db.Retype) (reason string, err error) {
	pools, err := r.pools.snapshot(ctx, now)
	if err != nil {
		return "", err
	}
	here := slices.DeleteFunc(pools, func(p db.PoolService) bool { return v.PoolID == nil || p.ID != *v.PoolID })
	d := r.Placer.Place(Snapshot(here, time.Now(), r.DownTime), placement.Request{
		ExtraSpecs: to.ExtraSpecs, BackEndQos: len(to.BackEndQos) > 0, UnkeptQos: to.UnkeptQos(), AvailabilityZones: zonesOf(to.ExtraSpecs),
	})
	switch {
	case len(d.Ranked) > 0:
		return "", nil
	case len(d.Refused) == 0:
		return "it is in no pool", nil
	case time.Since(r.since) < r.Grace && r.awaitsNodes(v, here):
		return "", errAgain
	}
	for _, line := range d.LogLines() {
		slog.WarnContext(ctx, "a volume's pool does not serve its new type", "volume", v.ID, "because", line)
	}
	return "its pool does not serve the type (" + d.Refused[0].Filter + ")", nil
}

// encryptedDifferently tells whether the volume would have to be encrypted anew.
func (r *run) encryptedDifferently(ctx context.Context, v db.Volume, to db.Retype) (bool, error) {
	is, err := r.DB.TypeEncryption(ctx, v.VolumeTypeID)
	if err != nil {
		return false, err
	}
	wanted, err := r.DB.TypeEncryption(ctx, to.VolumeTypeID)
	return err == nil && !is.Same(wanted), err
}

// zonesOf gives the zones that a type's volumes may be in; none means all.
func zonesOf(specs db.StringMap) (zones []string) {
	for zone := range strings.SplitSeq(specs["RESKEY:availability_zones"], ",") {
		if zone = strings.TrimSpace(zone); zone != "" {
			zones = append(zones, zone)
		}
	}
	return zones
}

func (r *run) refuseRetype(ctx context.Context, v db.Volume, to db.Retype, reason string) error {
	text := "The volume keeps its type: " + reason + ". Retype requires migration but is not allowed (migration_policy never)."
	if to.MigrationPolicy == db.MigrateOnDemand {
		text = "The volume keeps its type: " + reason + "."
	}
	slog.WarnContext(ctx, "volume not retyped", "volume", v.ID, "reason", reason)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.RefuseRetype(ctx, v, reason); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionRetypeVolume, db.DetailNoBackendAvailable, text, r.request))
	})
}
