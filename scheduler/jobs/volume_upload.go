package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() { register((*Runner).volumeUpload, Control{CannotRetry: askAgain}) }

// dropPause is how long a job waits for an image service that does not delete an
// image.
const dropPause = 30 * time.Second

// volumeUpload brings a volume's bytes into the image that waits for them. Whatever
// happens, the volume gets its status back, and the image is whole in the end or
// gone.
func (r *Runner) volumeUpload(ctx context.Context, job *river.Job[db.VolumeUploadArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, func(ctx context.Context, run *run) error {
		u, err := r.DB.ImageUpload(ctx, job.Args.ImageID)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		v, err := r.DB.Volume(ctx, u.VolumeID, "")
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err != nil || v.Status != "uploading" || u.State == db.UploadDropped || u.State == db.UploadAbandoned {
			return run.dropImage(ctx, u)
		}
		if u.State == db.UploadCreating { // nobody came back who asked for it
			return run.failUpload(ctx, u, v, errors.New("the request was interrupted"))
		}
		return run.upload(ctx, u, v)
	})
}

func (r *run) upload(ctx context.Context, u db.ImageUpload, v db.Volume) error {
	if v.PoolID == nil {
		return r.failUpload(ctx, u, v, fault.New(fault.NotFound, "the volume has no place"))
	}
	where, err := r.whereIs(ctx, *v.PoolID)
	if err != nil {
		return err
	}
	whole, err := r.send(ctx, u, v, where)
	switch {
	case err == nil && whole:
		r.clearStill(ctx, u, where)
		return r.finish(ctx, func(tx *db.Tx) error { return tx.FinishUpload(ctx, u) })
	case err == nil, errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleFor(v):
		return err // the row is read again
	case (fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Conflict)) && !r.cancel && r.notes.BusyTries+1 < r.ImageTries:
		return r.sendAgain(ctx, u, err)
	}
	r.clearStill(ctx, u, where)
	return r.failUpload(ctx, u, v, err)
}

// clearStill takes away what a node that was killed may have left: the copy that it
// sends of a volume in use. The operation's own end takes it away too.
func (r *run) clearStill(ctx context.Context, u db.ImageUpload, where place) {
	attachments, err := r.DB.AttachmentsOf(ctx, u.VolumeID)
	if err != nil || len(attachments[u.VolumeID]) == 0 {
		return
	}
	ask, cancel := context.WithTimeout(ctx, r.FirstWait)
	defer cancel()
	f := rpc.Fence{OperationID: "still-" + u.ImageID, ResourceID: u.ImageID, Generation: 1}
	if _, err := r.Nodes.Node(where.endpoint).DestroySnapshot(ask, f, where.pool); err != nil {
		slog.WarnContext(ctx, "the copy of a volume in use may be left on its node", "volume", u.VolumeID, "snapshot", u.ImageID, "error", err)
	}
}

// send has the node send the volume. The image service is asked only when the node
// does not know the operation: the first time, and after the node was started anew;
// the image may be whole then.
func (r *run) send(ctx context.Context, u db.ImageUpload, v db.Volume, where place) (whole bool, err error) {
	node := r.Nodes.Node(where.endpoint)
	f := rpc.Fence{OperationID: fmt.Sprintf("upload-%s-%d", u.ImageID, u.Attempt), ResourceID: v.StorageID(), Generation: v.Generation}
	if r.cancel {
		err := r.cancelKnown(ctx, node, f)
		return err == nil, err
	}
	err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return node.Operation(ctx, f.OperationID, r.glances())
	})
	if !fault.Is(err, fault.NotFound) {
		return err == nil, err
	}
	to, whole, err := r.uploadTo(ctx, u)
	if err != nil || whole {
		return whole, err
	}
	err = r.operate(ctx, r.Patience, func(ctx context.Context) (*rpc.Operation, error) {
		return node.UploadImage(ctx, f, where.pool, to, int64(v.SizeGiB)<<30)
	})
	return err == nil, err
}

// uploadTo asks the image service where the bytes go, and for a token; whole tells
// that it has them.
func (r *run) uploadTo(ctx context.Context, u db.ImageUpload) (to rpc.Upload, whole bool, err error) {
	if r.Images == nil {
		return to, false, fault.New(wrongImage, "the scheduler has no image service; glance_api_servers or auth_strategy must be set for it as for the API")
	}
	ask, cancel := context.WithTimeout(ctx, askImages)
	defer cancel()
	image, url, token, err := r.Images.Download(ask, u.ImageID)
	switch {
	case ctx.Err() != nil:
		return to, false, ctx.Err()
	case fault.Is(err, fault.NotFound):
		return to, false, fault.New(wrongImage, "the image is gone from the image service, or the service user may not see it")
	case err != nil:
		return to, false, fault.Wrap(err, fault.Unavailable, "the image service does not answer")
	}
	switch image.Status {
	case "queued":
		return rpc.Upload{ImageID: u.ImageID, URL: url, Token: rpc.Secret(token), DiskFormat: u.DiskFormat}, false, nil
	case "active", "deactivated":
		return to, true, nil // it had every byte, and the answer was lost
	case "saving": // the image service has not found out yet that a node went away
		return to, false, fault.New(fault.Conflict, "the image service does not wait for the image's bytes at the moment")
	}
	return to, false, fault.New(wrongImage, "the image's status in the image service is %s", image.Status)
}

// sendAgain tries again, later each time.
func (r *run) sendAgain(ctx context.Context, u db.ImageUpload, reason error) error {
	slog.WarnContext(ctx, "volume could not be sent to its image, it is tried again", "volume", u.VolumeID, "image", u.ImageID, "error", reason)
	if err := r.DB.Tx(ctx, func(tx *db.Tx) error { return tx.RetryUpload(ctx, u) }); err != nil {
		return err
	}
	r.pause = r.Pause * time.Duration(1+2*r.notes.BusyTries)
	r.notes.BusyTries++
	return errAgain
}

// failUpload gives the volume its status back, tells the user, and goes on to
// delete the image.
func (r *run) failUpload(ctx context.Context, u db.ImageUpload, v db.Volume, reason error) error {
	text := strings.TrimSuffix(sentence(reason), ".")
	slog.WarnContext(ctx, "no image can be made of the volume", "volume", v.ID, "image", u.ImageID, "error", reason)
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailUpload(ctx, u, text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionUploadVolume, db.DetailUploadFailed, text+".", r.request))
	})
	if err != nil {
		return err
	}
	r.notes.Cancelled = r.cancel
	u.State = db.UploadDropped
	return r.dropImage(ctx, u)
}

// dropImage deletes an image that will not be whole, however long the image service
// needs to do so.
func (r *run) dropImage(ctx context.Context, u db.ImageUpload) error {
	if r.Images != nil {
		ask, cancel := context.WithTimeout(ctx, askImages)
		defer cancel()
		if err := r.Images.Delete(ask, u.ImageID, u.State != db.UploadDropped); err != nil {
			slog.WarnContext(ctx, "an image that will not be whole could not be deleted", "image", u.ImageID, "error", err)
			r.pause = dropPause
			return errAgain
		}
	}
	return r.finish(ctx, func(tx *db.Tx) error { return tx.ForgetUpload(ctx, u.ImageID) })
}
