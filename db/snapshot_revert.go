package db

import (
	"context"

	"clinker/internal/fault"
)

// BeginRevert starts to put a volume back to its newest snapshot: both statuses
// and the job, all at once. Conflict when one of them is not available; Invalid
// when a newer snapshot has come meanwhile.
func (t *Tx) BeginRevert(ctx context.Context, v Volume, s Snapshot, request string) error {
	if _, err := t.MoveVolume(ctx, v.ID, RevertBegin, "", nil); err != nil {
		return err
	}
	// The volume is held: no further snapshot can come from here on.
	var newer bool
	err := t.gorm.Raw(`SELECT EXISTS (SELECT 1 FROM snapshots WHERE volume_id = ? AND deleted_at IS NULL
		AND (created_at, id) > (?, ?))`, v.ID, s.CreatedAt, s.ID).Scan(&newer).Error
	if err != nil {
		return err
	}
	if newer {
		return fault.New(fault.Invalid, "Specified snapshot %s is None or not the latest one of volume %s.", s.ID, v.ID)
	}
	if _, err := t.MoveSnapshot(ctx, s.ID, SnapshotRestoreBegin, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeRevertArgs{VolumeID: v.ID, Request: request})
}

// RestoringSnapshot gives the snapshot that a volume is being put back to.
// NotFound when there is none (an administrator has reset its status).
func (d *DB) RestoringSnapshot(ctx context.Context, volumeID string) (Snapshot, error) {
	found, err := d.Snapshots(ctx, Query{Where: []Condition{
		{sql: "s.volume_id = ?", args: []any{volumeID}}, {sql: "s.status = 'restoring'"},
	}, Limit: 1})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "Volume %s is not being reverted to any snapshot.", volumeID)
	}
	if err != nil {
		return Snapshot{}, err
	}
	return found[0], nil
}

// EndRevert ends it, m being RevertDone or RevertFailed; the snapshot is
// available again in any case. Conflict when v is not the row as it is now; then
// v must be read again.
func (t *Tx) EndRevert(ctx context.Context, v Volume, m Move, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, m, reason, nil); err != nil {
		return err
	}
	var restoring []string
	err := t.gorm.Raw("SELECT id FROM snapshots WHERE volume_id = ? AND deleted_at IS NULL AND status = 'restoring'", v.ID).Scan(&restoring).Error
	for _, id := range restoring {
		if err == nil {
			_, err = t.MoveSnapshot(ctx, id, SnapshotRestoreEnd, "", nil)
		}
	}
	return err
}

// ResumeRevert goes on with a revert that a silent node has ended. Conflict when
// volume or snapshot were moved meanwhile.
func (t *Tx) ResumeRevert(ctx context.Context, v Volume) error {
	moved, err := t.MoveVolumeAt(ctx, v, RevertResume, "", nil)
	if err != nil {
		return err
	}
	var latest Snapshot
	result := t.gorm.Raw(`SELECT * FROM snapshots WHERE volume_id = ? AND deleted_at IS NULL
		ORDER BY created_at DESC, id DESC LIMIT 1`, v.ID).Scan(&latest)
	if result.Error == nil && result.RowsAffected == 0 {
		return fault.New(fault.Conflict, "Volume %s has no snapshot any more.", v.ID)
	}
	if result.Error != nil {
		return result.Error
	}
	if _, err := t.MoveSnapshotAt(ctx, latest, SnapshotRestoreBegin, "", nil); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeRevertArgs{VolumeID: v.ID, Request: moved.RequestID})
}
