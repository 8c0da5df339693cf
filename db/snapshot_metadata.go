package db

import (
	"context"

	"clinker/internal/fault"
)

// ChangeSnapshotMetadata replaces a snapshot's metadata by what change makes of
// it, and gives that. The row is locked in between, so that of changes at the
// same time none is lost. An error of change is given back and nothing is
// written. NotFound when the snapshot is gone.
func (t *Tx) ChangeSnapshotMetadata(ctx context.Context, id string, change func(m StringMap) (StringMap, error)) (StringMap, error) {
	var row struct{ Metadata StringMap }
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Raw("SELECT metadata FROM snapshots WHERE "+where+" FOR UPDATE", args...).Scan(&row)
	if result.Error != nil {
		return nil, result.Error
	}
	if result.RowsAffected == 0 {
		return nil, SnapshotNotFound(id)
	}
	changed, err := change(row.Metadata)
	if err != nil {
		return nil, err
	}
	return changed, t.gorm.Exec("UPDATE snapshots SET metadata = ? WHERE id = ?", changed, id).Error
}

// SnapshotMetadataNotFound is what Cinder says of a key that a snapshot's
// metadata has not.
func SnapshotMetadataNotFound(id, key string) error {
	return fault.New(fault.NotFound, "Snapshot %s has no metadata with key %s.", id, key)
}
