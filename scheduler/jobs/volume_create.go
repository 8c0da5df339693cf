package jobs

import (
	"context"
	"errors"
	"log/slog"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() { register((*Runner).volumeCreate, Control{Again: retryVolume(db.CreateAgain)}) }

// volumeCreate gives a new volume a place and bytes: pick a pool, claim it,
// have the node make the volume, finish; or the next pool; or error, with a
// message that says why.
func (r *Runner) volumeCreate(ctx context.Context, job *river.Job[db.VolumeCreateArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, func(ctx context.Context, run *run) error {
		for {
			v, specs, err := r.DB.VolumeAndSpecs(ctx, job.Args.VolumeID)
			if fault.Is(err, fault.NotFound) || err == nil && !creating(v) {
				return nil // deleted meanwhile, or finished by another run
			}
			if err != nil {
				return err
			}
			next, err := run.createOnce(ctx, v, specs, job.Args)
			if err != nil || !next {
				return err
			}
		}
	})
}

// creating: one that was made already and is downloading is being re-imaged.
func creating(v db.Volume) bool {
	return v.Status == "creating" || v.Status == "downloading" && v.LaunchedAt == nil
}

// createOnce takes the row one pool further; next when it is to be read again.
func (r *run) createOnce(ctx context.Context, v db.Volume, specs db.TypeSpecs, args db.VolumeCreateArgs) (next bool, err error) {
	if hidden(v) {
		return false, r.fillCache(ctx, v)
	}
	if r.cancel && v.PoolID == nil {
		return false, r.cancelCreate(ctx, v)
	}
	where, err := r.place(ctx, &v, specs, args)
	var none *noPool
	if errors.As(err, &none) {
		return false, r.failCreate(ctx, v, none)
	}
	if err != nil {
		return false, err
	}
	if v.BackupID != nil {
		return r.createOfBackup(ctx, v, where)
	}
	if v.ImageID != nil && v.Status == "creating" {
		return true, r.beginDownload(ctx, v)
	}
	if v.ImageID != nil {
		err = r.bringImage(ctx, v, where)
	} else {
		err = r.operate(ctx, r.PlacePatience, func(ctx context.Context) (*rpc.Operation, error) {
			return r.provision(ctx, r.Nodes.Node(where.endpoint), fence("create", v), where.pool, v)
		})
	}
	switch {
	case err == nil:
		return false, r.DB.FinishCreate(ctx, v)
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return false, err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return true, nil
	case r.cancel:
		return false, r.cancelCreate(ctx, v)
	case v.ImageID != nil && aboutImage(err):
		return false, r.failImage(ctx, v, err)
	case v.ImageID != nil && fault.Is(err, fault.Unavailable):
		return false, r.fetchAgain(ctx, v, err)
	}
	return true, r.leavePool(ctx, v, where, err)
}

// provision asks for an empty volume, or for the copy of a volume or snapshot.
func (r *run) provision(ctx context.Context, node rpc.Volumed, f rpc.Fence, pool string, v db.Volume) (o *rpc.Operation, err error) {
	bytes := int64(v.SizeGiB) << 30
	if source, copied := sourceOf(v); copied {
		if source.Kind == rpc.KindVolume {
			source.ID, err = r.DB.StorageID(ctx, source.ID)
		}
		if err != nil {
			return nil, err
		}
		return node.CopyFrom(ctx, f, pool, source, bytes)
	}
	return node.Create(ctx, f, pool, bytes, v.EncryptionKeyID != nil)
}

// staleFor tells whether the node refused this very generation before: then
// reading the row again does not help, for the node knows a later one than the
// database does.
func (r *run) staleFor(v db.Volume) bool {
	before := r.stale
	r.stale = v.Generation
	return before == v.Generation
}

// leavePool notes why a pool did not serve. What its node may have made all the
// same is an orphan there, which the reconciler takes away.
func (r *run) leavePool(ctx context.Context, v db.Volume, where place, reason error) error {
	slog.WarnContext(ctx, "pool did not serve", "volume", v.ID, "pool", where.name, "error", reason)
	text := sentence(reason)
	err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.LeavePool(ctx, v, text) })
	if err == nil {
		r.notes.Tried = append(r.notes.Tried, attempt{Pool: where.name, Reason: text})
	}
	return err
}

// cancelCreate ends the creation as an administrator asked. What the node may have
// made is an orphan there.
func (r *run) cancelCreate(ctx context.Context, v db.Volume) error {
	r.notes.Cancelled = true
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailRestoreToNew(ctx, v, byAdministrator); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionScheduleAllocate, db.DetailUnknownError, "The volume's creation was "+byAdministrator+".", r.request))
	})
}

// failCreate ends the creation, and tells the user.
func (r *run) failCreate(ctx context.Context, v db.Volume, none *noPool) error {
	slog.WarnContext(ctx, "no pool for the volume", "volume", v.ID, "reason", none.text)
	for _, line := range none.decision.LogLines() {
		slog.WarnContext(ctx, "no pool for the volume", "volume", v.ID, "because", line)
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailRestoreToNew(ctx, v, none.text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionScheduleAllocate, db.DetailNoBackendAvailable, none.text, r.request))
	})
}
