package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// The moves of a volume that is made into an image. Only its status changes: what
// it had before follows from its attachments.
var (
	// UploadBegin is of a free volume.
	UploadBegin = Move{"upload it to an image", []string{"available"}, "uploading"}
	// UploadBeginInUse is for those who force it.
	UploadBeginInUse = Move{"upload it to an image", []string{"available", "in-use"}, "uploading"}
	// UploadDone: the image is whole.
	UploadDone = Move{"finish uploading", []string{"uploading"}, Settled}
	// UploadFailed: there will be no image.
	UploadFailed = Move{"fail uploading", []string{"uploading"}, Settled}
)

// What becomes of an image that a volume is being made into.
const (
	UploadCreating  = "creating"  // the image service is being asked for it
	UploadWaiting   = "waiting"   // it waits for its bytes
	UploadDropped   = "failed"    // it is to be deleted
	UploadAbandoned = "abandoned" // likewise, unless it is whole
)

// ImageUpload is a row of image_uploads.
type ImageUpload struct {
	ImageID    string
	VolumeID   string
	DiskFormat string
	State      string
	Attempt    int
	RequestID  string
}

// VolumeUploadArgs asks that an image get a volume's bytes, or be deleted.
type VolumeUploadArgs struct {
	VolumeID string `json:"volume_id"`
	ImageID  string `json:"image_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeUploadArgs) Kind() string { return "volume_upload" }

const uploadColumns = "image_id, volume_id, disk_format, state, attempt, request_id"

func scanUpload(row pgx.CollectableRow) (u ImageUpload, err error) {
	return u, row.Scan(&u.ImageID, &u.VolumeID, &u.DiskFormat, &u.State, &u.Attempt, &u.RequestID)
}

// ImageUpload gives the upload to an image; NotFound when there is none, or none
// any more.
func (d *DB) ImageUpload(ctx context.Context, imageID string) (ImageUpload, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+uploadColumns+" FROM image_uploads WHERE image_id = $1", imageID)
	if err != nil {
		return ImageUpload{}, err
	}
	u, err := pgx.CollectExactlyOneRow(rows, scanUpload)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.New(fault.NotFound, "No volume is being uploaded to image %s.", imageID)
	}
	return u, err
}

// BeginUpload notes the image that a volume is to be made into, before the image
// service is asked for it: whatever happens then, the image is deleted or whole in
// the end. It gives the volume as it was moved. m is UploadBegin or
// UploadBeginInUse; Conflict when the volume is in none of its statuses.
func (t *Tx) BeginUpload(ctx context.Context, volumeID string, m Move, u ImageUpload) (Volume, error) {
	v, err := t.MoveVolume(ctx, volumeID, m, "", nil)
	if err == nil {
		err = refuseSwapped(v)
	}
	if err != nil {
		return v, err
	}
	t.later("INSERT INTO image_uploads (image_id, volume_id, disk_format, state, request_id) VALUES ($1, $2, $3, $4, $5)",
		u.ImageID, v.ID, u.DiskFormat, UploadCreating, u.RequestID)
	return v, nil
}

// StartUpload: the image waits for its bytes, and a job brings them. Conflict when
// the upload has been given up meanwhile.
func (t *Tx) StartUpload(ctx context.Context, u ImageUpload) error {
	if err := t.moveUpload(ctx, u.ImageID, UploadCreating, UploadWaiting); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeUploadArgs{VolumeID: u.VolumeID, ImageID: u.ImageID, Request: u.RequestID})
}

func (t *Tx) moveUpload(ctx context.Context, imageID, from, to string) error {
	met, err := t.exec(ctx, "UPDATE image_uploads SET state = $3, updated_at = now() WHERE image_id = $1 AND state = $2", imageID, from, to)
	if err == nil && met == 0 {
		err = fault.New(fault.Conflict, "The upload to image %s has been given up.", imageID)
	}
	return err
}

// RetryUpload makes the next try an operation of its own. Conflict as for
// StartUpload.
func (t *Tx) RetryUpload(ctx context.Context, u ImageUpload) error {
	met, err := t.exec(ctx, `UPDATE image_uploads SET attempt = attempt + 1, updated_at = now()
		WHERE image_id = $1 AND state = $2 AND attempt = $3`, u.ImageID, UploadWaiting, u.Attempt)
	if err == nil && met == 0 {
		err = fault.New(fault.Conflict, "The upload to image %s has been given up.", u.ImageID)
	}
	return err
}

// FinishUpload: the image is whole, and the volume as it was. Conflict when the
// upload has been given up meanwhile.
func (t *Tx) FinishUpload(ctx context.Context, u ImageUpload) error {
	if _, err := t.MoveVolume(ctx, u.VolumeID, UploadDone, "", nil); err != nil {
		return err
	}
	t.endImageKey(u.ImageID, true)
	return t.ForgetUpload(ctx, u.ImageID)
}

// FailUpload gives the volume its status back; the image is still to be deleted,
// which the job that is running does, or the one that is asked for. Conflict when
// the upload has been given up meanwhile.
func (t *Tx) FailUpload(ctx context.Context, u ImageUpload, reason string) error {
	if _, err := t.MoveVolume(ctx, u.VolumeID, UploadFailed, reason, nil); err != nil {
		return err
	}
	return t.moveUpload(ctx, u.ImageID, u.State, UploadDropped)
}

// DropUpload has a job delete the image of an upload that failed.
func (t *Tx) DropUpload(ctx context.Context, u ImageUpload) error {
	return t.Enqueue(ctx, VolumeUploadArgs{VolumeID: u.VolumeID, ImageID: u.ImageID, Request: u.RequestID})
}

// ForgetUpload: there is no such image any more, or it is whole. May be repeated.
func (t *Tx) ForgetUpload(_ context.Context, imageID string) error {
	t.endImageKey(imageID, false)
	t.later("DELETE FROM image_uploads WHERE image_id = $1", imageID)
	return nil
}

// AbandonUploads is for who has set the status of a volume by hand: its uploads'
// jobs delete what is not whole.
func (t *Tx) AbandonUploads(_ context.Context, volumeID string) error {
	t.later("UPDATE image_uploads SET state = $2, updated_at = now() WHERE volume_id = $1 AND state IN ('creating', 'waiting')", volumeID, UploadAbandoned)
	return nil
}

// LostUploads gives uploads that have been as they are for that long and have no
// job, at most limit of them.
func (d *DB) LostUploads(ctx context.Context, quiet time.Duration, limit int) ([]ImageUpload, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+uploadColumns+` FROM image_uploads u WHERE u.updated_at <= now() - $1::interval
		AND `+jobless("'volume_upload'", "image_id", "u.image_id")+`
		ORDER BY u.updated_at LIMIT $2`, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanUpload)
}

// UploadAgain gives such an upload a new job. Conflict when it ended meanwhile.
func (t *Tx) UploadAgain(ctx context.Context, u ImageUpload) error {
	if err := t.moveUpload(ctx, u.ImageID, u.State, u.State); err != nil {
		return err
	}
	return t.DropUpload(ctx, u)
}
