package db

import (
	"context"

	"clinker/internal/fault"
)

// The moves of a volume that goes to another project.
var (
	// TransferBegin: until it is accepted or withdrawn, nobody may use it.
	TransferBegin = Move{"offer to another project", []string{"available"}, "awaiting-transfer"}
	// TransferWithdraw: its project keeps it.
	TransferWithdraw = Move{"withdraw its offer", []string{"awaiting-transfer"}, "available"}
	// TransferAccept: it is another project's.
	TransferAccept = Move{"pass to another project", []string{"awaiting-transfer"}, "available"}

	// SnapshotTransferred goes with its volume.
	SnapshotTransferred = Move{"pass to another project", []string{SnapshotAvailable}, Same}
)

// InsertTransfer offers a volume, whose project becomes the transfer's source.
// An earlier offer of the same volume, which a reset of its status has left
// behind, ends: its key must not open this one. Invalid, in Cinder's words, when
// the volume, or a snapshot that is to go with it, is not available, or when the
// volume is in a group or has attachments.
func (t *Tx) InsertTransfer(ctx context.Context, offer *Transfer) error {
	v, err := t.MoveVolume(ctx, offer.VolumeID, TransferBegin, "", nil)
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Invalid, "Invalid volume: status must be available")
	}
	if err != nil {
		return err
	}
	if v.GroupID != nil {
		return fault.New(fault.Invalid, "Invalid volume: Volume %s must not be part of a group.", v.ID)
	}
	attachments, err := t.AttachmentsIn(ctx, v.ID)
	if err != nil {
		return err
	}
	if len(attachments) > 0 {
		return fault.New(fault.Invalid, "Invalid volume: Volume %s has attachments, which must be deleted first.", v.ID)
	}
	if !offer.NoSnapshots {
		if err := t.snapshotsAvailable(v); err != nil {
			return err
		}
	}
	if err := t.endTransfers(v.ID); err != nil {
		return err
	}
	offer.SourceProjectID, offer.CreatedAt = v.ProjectID, t.Now()
	return t.gorm.Create(offer).Error
}

func (t *Tx) snapshotsAvailable(v Volume) error {
	var id string
	result := t.gorm.Raw("SELECT id FROM snapshots WHERE volume_id = ? AND project_id = ? AND deleted_at IS NULL AND status <> 'available' ORDER BY id LIMIT 1",
		v.ID, v.ProjectID).Scan(&id)
	if result.Error == nil && result.RowsAffected > 0 {
		return fault.New(fault.Invalid, "Invalid snapshot: snapshot: %s status must be available", id)
	}
	return result.Error
}

// endTransfers ends all open transfers of a volume, which must be locked.
func (t *Tx) endTransfers(volumeID string) error {
	return t.gorm.Exec("UPDATE transfers SET deleted_at = ? WHERE volume_id = ? AND deleted_at IS NULL", t.Now(), volumeID).Error
}

// WithdrawTransfer ends an offer; its project keeps the volume. A volume that is
// in another status than awaiting-transfer, which an administrator has given it,
// stays in it. NotFound when the transfer has ended.
func (t *Tx) WithdrawTransfer(ctx context.Context, offer Transfer) error {
	_, err := t.MoveVolume(ctx, offer.VolumeID, TransferWithdraw, "", nil)
	if err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	return t.endTransfer(offer.ID, nil)
}

// endTransfer ends one, as accepted by a project if there is one.
func (t *Tx) endTransfer(id string, by *string) error {
	result := t.gorm.Exec(`UPDATE transfers SET deleted_at = ?, destination_project_id = ?, accepted = ?
		WHERE id = ? AND deleted_at IS NULL`, t.Now(), by, by != nil, id)
	if result.Error == nil && result.RowsAffected == 0 {
		return TransferNotFound(id)
	}
	return result.Error
}
