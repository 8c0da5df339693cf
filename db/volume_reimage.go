package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"clinker/internal/fault"
)

// The moves of a volume that gets an image in place of what it holds.
var (
	// ReimageBegin is of a volume that nobody uses.
	ReimageBegin = Move{"re-image", []string{"available", "error"}, "downloading"}
	// ReimageBeginReserved is for those who know who has reserved it: Nova's rebuild.
	ReimageBeginReserved = Move{"re-image", []string{"available", "error", "reserved"}, "downloading"}
	// ReimageAgain: the image's bytes could not be had, or something still held the
	// device; a further try follows, which is an operation of its own.
	ReimageAgain = Move{"fetch its image again", []string{"downloading"}, Same}
	// ReimageDone: it holds the image. One that was in error is whole again.
	ReimageDone = Move{"finish re-imaging", []string{"downloading"}, Settled}
	// ReimageFailed: it may be partly as it was and partly as the image is.
	ReimageFailed = Move{"fail re-imaging", []string{"downloading"}, "error"}
	// ReimageLost: its job was lost, and it gets one.
	ReimageLost = Move{"begin again, for its job was lost", []string{"downloading"}, Same}
)

// VolumeReimageArgs asks that a volume get its new image.
type VolumeReimageArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeReimageArgs) Kind() string { return "volume_reimage" }

// VolumeReimagedArgs asks that the servers which wait for a volume be told that it
// has its image.
type VolumeReimagedArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeReimagedArgs) Kind() string { return "volume_reimaged" }

// Reimage is the image that a volume is to get, and what the volume will know of it.
type Reimage struct {
	ImageID  string
	Metadata StringMap
}

// BeginReimage starts it: status, image and job, all at once. m is ReimageBegin or
// ReimageBeginReserved; Conflict when the volume is in none of its statuses, lies
// nowhere, or has more than one attachment.
func (t *Tx) BeginReimage(ctx context.Context, volumeID string, m Move, image Reimage, request string) error {
	// Who has no launched_at is being created, in the eyes of that job.
	v, err := t.MoveVolume(ctx, volumeID, m, "", map[string]any{"launched_at": gorm.Expr("COALESCE(v.launched_at, now())")})
	if err != nil {
		return err
	}
	if v.PoolID == nil {
		return fault.New(fault.Conflict, "Volume %s has no place: it was never made.", v.ID)
	}
	t.expect(fault.New(fault.Conflict, "Cannot re-image a volume which is attached to more than one server."),
		"SELECT 1 WHERE (SELECT count(*) FROM attachments WHERE volume_id = $1 AND deleted_at IS NULL) <= 1", v.ID)
	t.later(`INSERT INTO volume_reimages (volume_id, image_id, image_metadata, request_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (volume_id) DO UPDATE SET image_id = EXCLUDED.image_id, image_metadata = EXCLUDED.image_metadata,
			request_id = EXCLUDED.request_id, updated_at = now()`, v.ID, image.ImageID, image.Metadata, request)
	return t.Enqueue(ctx, VolumeReimageArgs{VolumeID: v.ID, Request: request})
}

// ReimageOf gives the image that a volume is to get; NotFound when it is to get
// none (an administrator has set its status).
func (d *DB) ReimageOf(ctx context.Context, volumeID string) (r Reimage, err error) {
	err = d.pool.QueryRow(ctx, "SELECT image_id, image_metadata FROM volume_reimages WHERE volume_id = $1", volumeID).Scan(&r.ImageID, &r.Metadata)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.New(fault.NotFound, "Volume %s is not being re-imaged.", volumeID)
	}
	return r, err
}

// FinishReimage: the volume holds the image, and is known to. It gives the volume
// as it is then. Conflict when v is not the row as it is now.
func (t *Tx) FinishReimage(ctx context.Context, v Volume, image Reimage) (Volume, error) {
	done, err := t.MoveVolumeAt(ctx, v, ReimageDone, "", map[string]any{
		"image_id": image.ImageID, "image_metadata": image.Metadata, "bootable": true,
	})
	if err == nil {
		err = t.AbandonReimage(ctx, v.ID)
	}
	return done, err
}

// FailReimage ends it. Conflict as for FinishReimage.
func (t *Tx) FailReimage(ctx context.Context, v Volume, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, ReimageFailed, reason, nil); err != nil {
		return err
	}
	return t.AbandonReimage(ctx, v.ID)
}

// AbandonReimage forgets the image that a volume was to get. May be repeated.
func (t *Tx) AbandonReimage(_ context.Context, volumeID string) error {
	t.later("DELETE FROM volume_reimages WHERE volume_id = $1", volumeID)
	return nil
}

// LostReimages gives volumes that have been waiting for their image for that long
// and have no job, at most limit of them.
func (d *DB) LostReimages(ctx context.Context, quiet time.Duration, limit int) ([]Volume, error) {
	rows, err := d.pool.Query(ctx, `SELECT v.id, v.generation, r.request_id FROM volume_reimages r JOIN volumes v ON v.id = r.volume_id
		WHERE v.deleted_at IS NULL AND v.status = 'downloading' AND v.updated_at <= now() - $1::interval
			AND `+jobless("'volume_reimage'", "volume_id", "v.id")+`
		ORDER BY v.updated_at LIMIT $2`, quiet, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanLost)
}

// ReimageJobAgain gives such a volume a new job. Conflict when it was moved
// meanwhile.
func (t *Tx) ReimageJobAgain(ctx context.Context, v Volume) error {
	if _, err := t.MoveVolumeAt(ctx, v, ReimageLost, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeReimageArgs{VolumeID: v.ID, Request: v.RequestID})
}
