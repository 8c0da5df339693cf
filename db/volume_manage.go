package db

import (
	"context"

	"clinker/internal/fault"
)

// InsertManaged writes a volume that exists in a pool, in status managing and
// without a size, with its quota and its job. What the node tells of it comes
// later: SizeManaged.
func (t *Tx) InsertManaged(ctx context.Context, v *Volume, poolID, reference string, limits Limits) error {
	name, err := t.HoldType(ctx, v.VolumeTypeID)
	if err != nil {
		return err
	}
	v.Status, v.Generation, v.SizeGiB, v.ConsumesQuota, v.VolumeType = "managing", 1, 0, true, name
	if err := t.InsertVolume(ctx, v); err != nil {
		return err
	}
	if err := t.setManaged(v.ID, &poolID, reference, Managing); err != nil {
		return err
	}
	if err := t.Use(ctx, v.ProjectID, VolumeUse(0, name, 1), limits); err != nil {
		return err
	}
	return t.Enqueue(ctx, VolumeManageArgs{VolumeID: v.ID, Request: v.RequestID})
}

// SizeManaged gives a volume that is being managed its size and its place in the
// pool, which counts it from then on; that it has room there is sure. OverQuota
// when the project may not have so much. Conflict when v is not the row as it is
// now.
func (t *Tx) SizeManaged(ctx context.Context, v Volume, poolID string, sizeGiB int, limits Limits) (Volume, error) {
	bytes := int64(sizeGiB) << 30
	sized, err := t.MoveVolumeAt(ctx, v, ManageSized, "", map[string]any{"size_gib": sizeGiB, "pool_id": poolID, "claimed_bytes": bytes})
	if err != nil {
		return sized, err
	}
	err = t.gorm.Exec("UPDATE pools SET allocated_bytes = allocated_bytes + ?, volume_count = volume_count + 1 WHERE id = ?", bytes, poolID).Error
	if err != nil {
		return sized, err
	}
	name, err := t.typeName(ctx, v.VolumeTypeID)
	if err != nil {
		return sized, err
	}
	return sized, t.Use(ctx, v.ProjectID, GrowthUse(sizeGiB, name), limits)
}

// FinishManage: the node has given the volume its name.
func (t *Tx) FinishManage(ctx context.Context, v Volume) error {
	if _, err := t.MoveVolumeAt(ctx, v, ManageDone, "", map[string]any{"launched_at": t.Now()}); err != nil {
		return err
	}
	return t.setManaged(v.ID, nil, "", ManagedBy)
}

// BeginUnmanage starts letting a volume go, or ends it at once where no node
// has it. Conflict when its status does not allow it. The caller has seen that
// it has no attachments; snapshots are Invalid, as sentence says.
func (t *Tx) BeginUnmanage(ctx context.Context, id, sentence, request string) error {
	v, err := t.MoveVolume(ctx, id, UnmanageBegin, "", nil)
	if err == nil {
		err = t.AbandonGrowth(ctx, v)
	}
	if err != nil {
		return err
	}
	has, err := t.HasSnapshots(ctx, id)
	if err == nil && (has || v.GroupID != nil || migrating(v)) {
		err = fault.New(fault.Invalid, "%s", sentence)
	}
	if err != nil {
		return err
	}
	if v.PoolID == nil {
		return t.FinishUnmanage(ctx, v)
	}
	return t.Enqueue(ctx, VolumeUnmanageArgs{VolumeID: id, Request: request})
}

// FinishUnmanage ends a volume that is let go: the row leaves every list, its
// quota and its place in the pool are given back, and what its node has under its
// name is no remains. Conflict when v is not the row as it is now.
func (t *Tx) FinishUnmanage(ctx context.Context, v Volume) error {
	if err := t.setManaged(v.ID, v.PoolID, "", Released); err != nil {
		return err
	}
	set := map[string]any{"deleted_at": t.Now()}
	gone, err := t.MoveVolumeAt(ctx, v, UnmanageDone, "", set)
	if err != nil {
		return err
	}
	if err := t.Unclaim(ctx, v.ID, 0); err != nil || !gone.ConsumesQuota {
		return err
	}
	name, err := t.typeName(ctx, gone.VolumeTypeID)
	if err != nil {
		return err
	}
	return t.Use(ctx, gone.ProjectID, VolumeUse(gone.SizeGiB, name, -1), nil)
}
