package db

import (
	"context"

	"gorm.io/gorm"

	"clinker/internal/fault"
)

// A hold is what os-reserve leaves: the volume is attaching although it has no
// attachment, until one is made of it or the hold is released. It is a column
// and not only a status, so that a status which is derived (Settled) knows it.

// LockVolume gives the volume as it is and keeps others out of it until this
// transaction ends, as TouchAttachments does. NotFound when it is gone.
func (t *Tx) LockVolume(ctx context.Context, id string) (Volume, error) {
	var v Volume
	result := t.gorm.Raw("SELECT * FROM volumes WHERE id = ? AND deleted_at IS NULL FOR UPDATE", id).Scan(&v)
	if result.Error == nil && result.RowsAffected == 0 {
		return v, VolumeNotFound(id)
	}
	t.locked = id
	return v, result.Error
}

// Hold keeps the volume for an attachment to come. Of many at once, one wins;
// Conflict for the others. m is Hold or HoldMore.
func (t *Tx) Hold(ctx context.Context, id string, m Move) error {
	_, err := t.MoveVolume(ctx, id, m, "", map[string]any{"held": true})
	return err
}

// Release ends a hold and gives the volume the status that its attachments
// mean. May be repeated; it leaves alone a volume in a status of another kind.
func (t *Tx) Release(ctx context.Context, id string, m Move) error {
	t.endHold(id)
	_, err := t.MoveVolume(ctx, id, m, "", nil)
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// endHold is a statement of its own: a Settled move reads the row as it was
// before the move.
func (t *Tx) endHold(id string) {
	t.lockVolume(id)
	t.later("UPDATE volumes SET held = false WHERE id = $1 AND held", id)
}

// FinishAttach settles the volume of an attachment that has become attached by
// os-attach, for which it may have been held, and notes how (rw, ro) where
// clients of that time look for it. Conflict when the volume is in a status of
// another kind; the transaction must then be given up.
func (t *Tx) FinishAttach(ctx context.Context, volumeID, mode string) error {
	t.endHold(volumeID)
	_, err := t.MoveVolume(ctx, volumeID, AttachmentsChanged, "", map[string]any{"admin_metadata": gorm.Expr(
		"jsonb_build_object('readonly', 'False') || v.admin_metadata || jsonb_build_object('attached_mode', ?::text)", mode)})
	return err
}
