package reconcile

import (
	"context"
	"log/slog"
	"time"

	"clinker/db"
)

func init() {
	chores = append(chores, chore{"lost image copies", 5 * time.Second, (*Reconciler).lostImageCopies})
}

// lostImageCopies gives a job to every upload to an image, and to every volume that
// is being re-imaged, that has none. An upload whose request was interrupted before
// it made its job gets one that ends it.
func (r *Reconciler) lostImageCopies(ctx context.Context) error {
	err := mend(ctx, r, (*db.Tx).UploadAgain, func(u db.ImageUpload) {
		slog.WarnContext(ctx, "an upload to an image had no job, and has one again", "volume", u.VolumeID, "image", u.ImageID, "state", u.State)
	})(r.DB.LostUploads(ctx, r.Quiet, most))
	if err != nil {
		return err
	}
	return mend(ctx, r, (*db.Tx).ReimageJobAgain, func(v db.Volume) {
		slog.WarnContext(ctx, "a volume that is being re-imaged had no job, and has one again", "volume", v.ID)
	})(r.DB.LostReimages(ctx, r.Quiet/2, most))
}
