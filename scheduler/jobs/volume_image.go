package jobs

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/glance"
	"clinker/volumed/rpc"
)

// Images tells what an image is, where its bytes are or go, and a token for them;
// *glance.Client is one.
type Images interface {
	Download(ctx context.Context, id string) (image glance.Image, url, token string, err error)
	// Delete deletes an image; with unlessWhole one that has its bytes stays.
	Delete(ctx context.Context, id string, unlessWhole bool) error
}

// askImages is how long the image service and Keystone may take together; a run
// of a job is short.
const askImages = 8 * time.Second

// wrongImage is the code of errors about an image that no volume can be made of.
const wrongImage fault.Code = "wrong image"

// aboutImage tells whether an error is the image's fault, so that no other pool
// would do better.
func aboutImage(err error) bool { return fault.Is(err, wrongImage) || fault.Is(err, fault.Invalid) }

// beginDownload shows that the volume has its place and waits for its bytes.
func (r *run) beginDownload(ctx context.Context, v db.Volume) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.MoveVolumeAt(ctx, v, db.DownloadBegin, "", nil)
		return err
	})
}

// copyImage has the node bring the image's bytes onto the volume. The image
// service is asked only when the node does not know the operation: the first
// time, and after the node was started anew. The operation's id follows from the
// generation, so that another scheduler goes on waiting for the same one.
func (r *run) copyImage(ctx context.Context, v db.Volume, where place) error {
	node, f := r.Nodes.Node(where.endpoint), fence("image", v)
	if r.cancel {
		return r.cancelKnown(ctx, node, f)
	}
	err := r.operate(ctx, r.PlacePatience, func(ctx context.Context) (*rpc.Operation, error) {
		return node.Operation(ctx, f.OperationID, r.glances())
	})
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	image, err := r.imageFor(ctx, v, *v.ImageID)
	if err != nil {
		return err
	}
	return r.operate(ctx, r.PlacePatience, func(ctx context.Context) (*rpc.Operation, error) {
		return node.CopyImage(ctx, f, where.pool, image, int64(v.SizeGiB)<<30)
	})
}

// imageFor asks the image service. What was true when the volume was asked for
// may not be any more.
func (r *run) imageFor(ctx context.Context, v db.Volume, id string) (rpc.Image, error) {
	image, _, err := r.imageAndSize(ctx, v, id)
	return image, err
}

// imageAndSize also tells how many bytes a volume needs for it; 0 when the image
// service does not know.
func (r *run) imageAndSize(ctx context.Context, v db.Volume, id string) (_ rpc.Image, virtual int64, _ error) {
	if r.Images == nil {
		return rpc.Image{}, 0, fault.New(wrongImage, "the scheduler has no image service; glance_api_servers or auth_strategy must be set for it as for the API")
	}
	ask, cancel := context.WithTimeout(ctx, askImages)
	defer cancel()
	image, url, token, err := r.Images.Download(ask, id)
	switch {
	case ctx.Err() != nil:
		return rpc.Image{}, 0, ctx.Err()
	case fault.Is(err, fault.NotFound):
		return rpc.Image{}, 0, fault.New(wrongImage, "the image %s is gone", id)
	case err != nil:
		return rpc.Image{}, 0, fault.Wrap(err, fault.Unavailable, "the image service does not answer")
	case image.Status != "active":
		return rpc.Image{}, 0, fault.New(wrongImage, "the image %s is not active any more", id)
	}
	if why := image.Reason(r.VerifySignatures); why != "" {
		return rpc.Image{}, 0, fault.New(wrongImage, "the image %s is unacceptable: %s", id, why)
	}
	luks, err := r.luksFor(ctx, v, image)
	if err != nil {
		return rpc.Image{}, 0, err
	}
	if virtual = image.VirtualBytes; image.DiskFormat == "raw" || image.DiskFormat == "iso" {
		virtual = image.SizeBytes
	}
	return rpc.Image{URL: url, Token: rpc.Secret(token), DiskFormat: image.DiskFormat, Bytes: image.SizeBytes,
		HashAlgo: image.HashAlgo, HashValue: image.HashValue, Checksum: image.Checksum,
		Encrypted: image.Encrypted(), LUKS: luks}, virtual, nil
}

// fetchAgain tries the same pool again, later each time: it is the image service
// that does not serve.
func (r *run) fetchAgain(ctx context.Context, v db.Volume, reason error) error {
	if r.notes.BusyTries+1 >= r.ImageTries {
		return r.failImage(ctx, v, reason)
	}
	slog.WarnContext(ctx, "image could not be fetched, it is tried again", "volume", v.ID, "image", *v.ImageID, "error", reason)
	return r.volumeAgain(ctx, v, db.DownloadAgain, reason)
}

// failImage ends the creation and tells the user what is wrong with the image.
// What the node may have made is an orphan there.
func (r *run) failImage(ctx context.Context, v db.Volume, reason error) error {
	text := strings.TrimSuffix(sentence(reason), ".")
	slog.WarnContext(ctx, "no volume can be made of the image", "volume", v.ID, "image", *v.ImageID, "error", reason)
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailCreate(ctx, v, text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewVolumeMessage(v, db.ActionCopyImage, db.DetailUnknownError, text+".", r.request))
	})
}
