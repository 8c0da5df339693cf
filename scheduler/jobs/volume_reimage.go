package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/nova"
	"clinker/volumed/rpc"
)

func init() {
	register((*Runner).volumeReimage, Control{CannotCancel: halfWay, CannotRetry: askAgain})
	register((*Runner).volumeReimaged, Control{CannotCancel: tooShort, Again: tellAgain})
}

// volumeReimage has an image take the place of what a volume holds. While that is
// not done the volume may be partly the one and partly the other: whatever ends the
// work before leaves it in error, and it can be begun again.
func (r *Runner) volumeReimage(ctx context.Context, job *river.Job[db.VolumeReimageArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Volume, job.Args.VolumeID, volumeIs("downloading"), (*run).reimage))
}

func (r *run) reimage(ctx context.Context, v db.Volume) error {
	image, err := r.DB.ReimageOf(ctx, v.ID)
	if fault.Is(err, fault.NotFound) {
		return nil // an administrator has set its status, or another run ended it
	}
	if err != nil {
		return err
	}
	if v.PoolID == nil {
		return r.failReimage(ctx, v, fault.New(fault.NotFound, "the volume has no place"))
	}
	where, err := r.whereIs(ctx, *v.PoolID)
	if err != nil {
		return err
	}
	err = r.overwrite(ctx, v, image.ImageID, where)
	switch {
	case err == nil:
		return r.finishReimage(ctx, v, image)
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err // the row is read again
	case fault.Is(err, fault.Unavailable) && r.notes.BusyTries+1 < r.ImageTries, fault.Is(err, fault.Busy) && r.notes.BusyTries < r.BusyTries:
		return r.overwriteAgain(ctx, v, err)
	}
	return r.failReimage(ctx, v, err)
}

// overwrite asks the node as copyImage does.
func (r *run) overwrite(ctx context.Context, v db.Volume, imageID string, where place) error {
	node, f := r.Nodes.Node(where.endpoint), fence("reimage", v)
	err := r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return node.Operation(ctx, f.OperationID, r.glances())
	})
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	image, err := r.imageFor(ctx, v, imageID)
	if err != nil {
		return err
	}
	return r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return node.Reimage(ctx, f, where.pool, image, int64(v.SizeGiB)<<30)
	})
}

// finishReimage lets servers that wait for their root volume go on.
func (r *run) finishReimage(ctx context.Context, v db.Volume, image db.Reimage) error {
	return r.finish(ctx, func(tx *db.Tx) error {
		done, err := tx.FinishReimage(ctx, v, image)
		if err != nil || r.Compute == nil || done.Status == "available" {
			return err
		}
		return tx.Enqueue(ctx, db.VolumeReimagedArgs{VolumeID: v.ID, Request: r.request})
	})
}

func (r *run) overwriteAgain(ctx context.Context, v db.Volume, reason error) error {
	slog.WarnContext(ctx, "volume could not be re-imaged, it is tried again", "volume", v.ID, "error", reason)
	return r.volumeAgain(ctx, v, db.ReimageAgain, reason)
}

// failReimage is honest about what the volume holds: nobody knows.
func (r *run) failReimage(ctx context.Context, v db.Volume, reason error) error {
	text := strings.TrimSuffix(sentence(reason), ".")
	slog.WarnContext(ctx, "volume was not re-imaged", "volume", v.ID, "error", reason)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailReimage(ctx, v, text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionReimageVolume, db.DetailUnknownError,
			"The volume was not re-imaged, or only in part: "+text+". It can be re-imaged again.", r.request))
	})
}

// volumeReimaged tells the servers that wait for a volume that it has its image; as
// volumeExtended does, and for its reasons.
func (r *Runner) volumeReimaged(ctx context.Context, job *river.Job[db.VolumeReimagedArgs]) error {
	return r.announce(ctx, job.JobRow, job.Args.VolumeID, job.Args.Request, func(v db.Volume) announcement {
		return announcement{
			send: func(ctx context.Context, servers []string) ([]nova.Refusal, error) {
				return r.Compute.VolumeReimaged(ctx, v.ID, servers)
			},
			what: "has its image",
			lost: db.NewVolumeMessage(v, db.ActionReimageVolume, db.DetailReimageFailed,
				"The volume holds the image, but its server could not be told: rebuild the server again.", job.Args.Request),
		}
	})
}
