package db

import (
	"context"

	"clinker/internal/fault"
)

// InsertManagedSnapshot writes a snapshot that exists in its volume's pool, in
// status managing, with its quota and its job. Until its node has told its size
// that is its volume's. Errors as of InsertSnapshot.
func (t *Tx) InsertManagedSnapshot(ctx context.Context, s *Snapshot, reference string, statuses []string, withGiB bool, limits Limits) error {
	if err := t.InsertSnapshot(ctx, s, statuses, withGiB, limits); err != nil {
		return err
	}
	if err := t.setManaged(s.ID, s.PoolID, reference, Managing); err != nil {
		return err
	}
	begun, err := t.MoveSnapshot(ctx, s.ID, SnapshotManageBegin, "", nil)
	if err != nil {
		return err
	}
	s.Status, s.Generation = begun.Status, begun.Generation
	return t.Enqueue(ctx, SnapshotManageArgs{SnapshotID: s.ID, Request: s.RequestID})
}

// SizeManagedSnapshot gives a snapshot that is being managed its size, of at most
// its volume's, and its place in the pool. Conflict when s is not the row as it
// is now.
func (t *Tx) SizeManagedSnapshot(ctx context.Context, s Snapshot, sizeGiB int) (Snapshot, error) {
	bytes, less := int64(sizeGiB)<<30, 0
	set := map[string]any{"size_gib": sizeGiB, "claimed_bytes": bytes}
	if s.QuotaGiB > sizeGiB {
		set["quota_gib"], less = sizeGiB, s.QuotaGiB-sizeGiB
	}
	sized, err := t.MoveSnapshotAt(ctx, s, SnapshotManageSized, "", set)
	if err != nil {
		return sized, err
	}
	if err := t.gorm.Exec("UPDATE pools SET allocated_bytes = allocated_bytes + ? WHERE id = ?", bytes, s.PoolID).Error; err != nil {
		return sized, err
	}
	if less == 0 {
		return sized, nil
	}
	name, err := t.typeName(ctx, s.VolumeTypeID)
	if err != nil {
		return sized, err
	}
	return sized, t.Use(ctx, s.ProjectID, GrowthUse(-less, name), nil)
}

// FinishManageSnapshot: the node has given the snapshot its name.
func (t *Tx) FinishManageSnapshot(ctx context.Context, s Snapshot) error {
	if _, err := t.MoveSnapshotAt(ctx, s, SnapshotManageDone, "", map[string]any{"progress": "100%"}); err != nil {
		return err
	}
	return t.setManaged(s.ID, nil, "", ManagedBy)
}

// BeginSnapshotUnmanage starts letting a snapshot go, or ends it at once where no
// node has it. Conflict when its status does not allow it, or when it is part of
// a group snapshot.
func (t *Tx) BeginSnapshotUnmanage(ctx context.Context, id, request string) error {
	s, err := t.MoveSnapshot(ctx, id, SnapshotUnmanageBegin, "", nil)
	if err != nil {
		return err
	}
	if s.GroupSnapshotID != nil {
		return fault.New(fault.Conflict, "Snapshot %s is part of a group snapshot.", id)
	}
	if s.PoolID == nil {
		return t.FinishSnapshotUnmanage(ctx, s)
	}
	return t.Enqueue(ctx, SnapshotUnmanageArgs{SnapshotID: id, Request: request})
}

// FinishSnapshotUnmanage is FinishUnmanage for a snapshot.
func (t *Tx) FinishSnapshotUnmanage(ctx context.Context, s Snapshot) error {
	if err := t.setManaged(s.ID, s.PoolID, "", Released); err != nil {
		return err
	}
	gone, err := t.leaveSnapshotPool(ctx, s.ID, s.Generation, SnapshotUnmanageDone, "", map[string]any{"deleted_at": t.Now()})
	if err != nil || !gone.ConsumesQuota {
		return err
	}
	name, err := t.typeName(ctx, gone.VolumeTypeID)
	if err != nil {
		return err
	}
	return t.Use(ctx, gone.ProjectID, SnapshotUse(gone, name, -1), nil)
}
