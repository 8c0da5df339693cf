package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"gorm.io/gorm"

	"clinker/internal/fault"
)

// A change of an attachment and of its volume's status that follows from it go
// together: TouchAttachments first, which keeps every other change of the same
// volume out until this transaction ends, then the attachment, then
// SettleAttachments.

// TouchAttachments keeps others out of the volume. NotFound, with what follows
// it, when it is gone.
func (t *Tx) TouchAttachments(ctx context.Context, volumeID string) error {
	t.lockVolume(volumeID)
	return nil
}

// SettleAttachments gives the volume the status that its attachments mean,
// unless it is in a status of another kind (extending, error …), which whatever
// ends that status will settle.
func (t *Tx) SettleAttachments(ctx context.Context, volumeID string) error {
	return t.settle(volumeID, nil)
}

func (t *Tx) settle(volumeID string, set map[string]any) error {
	t.lockVolume(volumeID)
	var b builder
	t.later(movedVolumes.statement(t, &b, volumeID, 0, AttachmentsChanged, "", set), b.args...)
	return nil
}

// SetConnectionInfo keeps how to connect, if the attachment is still as it was
// when the node was asked; Conflict otherwise. It says nothing about the
// attachment's status, so that the volume has no part in it.
func (d *DB) SetConnectionInfo(ctx context.Context, a Attachment, info []byte) (set Attachment, err error) {
	rows, err := d.pool.Query(ctx, `UPDATE attachments a SET connection_info = $1, updated_at = now()
		WHERE a.id = $2 AND a.generation = $3 AND a.deleted_at IS NULL RETURNING `+attachments.columns, string(info), a.ID, a.Generation)
	if err != nil {
		return set, err
	}
	set, err = pgx.CollectExactlyOneRow(rows, scanAttachment)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fault.New(fault.Conflict, "Attachment %s was changed by another request at the same time.", a.ID)
	}
	return set, err
}

// FinishDetach ends an attachment whose host has been cut off. The row is kept,
// without its secrets. May be repeated.
func (t *Tx) FinishDetach(ctx context.Context, volumeID, id string) error {
	if err := t.TouchAttachments(ctx, volumeID); err != nil {
		return err
	}
	_, err := t.MoveAttachment(ctx, id, nil, AttachDetached, map[string]any{
		"detached_at": t.Now(), "deleted_at": t.Now(), "connection_info": nil,
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return t.settle(volumeID, map[string]any{"admin_metadata": gorm.Expr("v.admin_metadata - 'attached_mode'")})
}

// AbandonAttachment ends an attachment of which no host has been told how to
// connect. Conflict when it has changed since a was read. What the node has of
// it is taken away by whoever compares exports.
func (t *Tx) AbandonAttachment(ctx context.Context, a Attachment) error {
	if err := t.TouchAttachments(ctx, a.VolumeID); err != nil {
		return err
	}
	if _, err := t.MoveAttachmentAt(ctx, a, a.AttachStatus, nil); err != nil {
		return err
	}
	return t.FinishDetach(ctx, a.VolumeID, a.ID)
}
