package db

import (
	"context"

	"gorm.io/gorm"

	"clinker/internal/fault"
)

// ChangeMetadata replaces a volume's metadata by what change makes of it, and
// gives that. The row is locked in between, so that of changes at the same time
// none is lost. An error of change is given back and nothing is written. No
// other column changes: this is no step of the volume's life. NotFound when the
// volume is gone.
func (t *Tx) ChangeMetadata(ctx context.Context, id string, change func(status string, m StringMap) (StringMap, error)) (StringMap, error) {
	return t.changeMap("metadata", id, change)
}

// ChangeImageMetadata is ChangeMetadata for what is known of the volume's image.
func (t *Tx) ChangeImageMetadata(ctx context.Context, id string, change func(status string, m StringMap) (StringMap, error)) (StringMap, error) {
	return t.changeMap("image_metadata", id, change)
}

func (t *Tx) changeMap(column, id string, change func(status string, m StringMap) (StringMap, error)) (StringMap, error) {
	var row struct {
		Status   string
		Metadata StringMap
	}
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Raw("SELECT status, "+column+" AS metadata FROM volumes WHERE "+where+" FOR UPDATE", args...).Scan(&row)
	if result.Error != nil {
		return nil, result.Error
	}
	if result.RowsAffected == 0 {
		return nil, VolumeNotFound(id)
	}
	changed, err := change(row.Status, row.Metadata)
	if err != nil {
		return nil, err
	}
	return changed, t.gorm.Exec("UPDATE volumes SET "+column+" = ? WHERE id = ?", changed, id).Error
}

// SetReadonly notes how a free volume is attached from now on. Conflict when it
// is not available, NotFound when it is gone.
func (t *Tx) SetReadonly(ctx context.Context, id string, readonly bool) error {
	_, err := t.MoveVolume(ctx, id, UpdateReadonly, "", map[string]any{
		"admin_metadata": gorm.Expr("v.admin_metadata || jsonb_build_object('readonly', ?::text)", pythonBool(readonly)),
	})
	return err
}

// pythonBool is how Cinder writes a flag into metadata.
func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// MetadataNotFound is what Cinder says of a key that a volume's metadata has not.
func MetadataNotFound(id, key string) error {
	return fault.New(fault.NotFound, "Volume %s has no metadata with key %s.", id, key)
}
