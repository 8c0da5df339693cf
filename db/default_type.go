package db

import (
	"context"

	"clinker/internal/fault"
)

// DefaultType is a row of default_types: the type of a project's volumes that
// are asked for without one.
type DefaultType struct {
	ProjectID    string `gorm:"primaryKey"`
	VolumeTypeID string
}

// TableName is GORM's.
func (DefaultType) TableName() string { return "default_types" }

// DefaultTypes lists the default types of all projects that have one.
func (d *DB) DefaultTypes(ctx context.Context) ([]DefaultType, error) {
	var all []DefaultType
	return all, d.gorm.WithContext(ctx).Order("project_id").Find(&all).Error
}

// DefaultType gives a project's; NotFound, in Cinder's words, when it has none
// of its own.
func (d *DB) DefaultType(ctx context.Context, project string) (DefaultType, error) {
	var found []DefaultType
	err := d.gorm.WithContext(ctx).Where("project_id = ?", project).Find(&found).Error
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "Default type for project %s not found.", project)
	}
	if err != nil {
		return DefaultType{}, err
	}
	return found[0], nil
}

// VolumeTypeByDefault gives the type of a project's volumes that are asked for
// without one: the project's own default type, else the one of that name.
// NotFound when there is neither.
func (d *DB) VolumeTypeByDefault(ctx context.Context, project, name string) (VolumeType, error) {
	const own = "SELECT x.volume_type_id FROM default_types x WHERE x.project_id = ?"
	found, err := d.VolumeTypes(ctx, Query{Where: []Condition{{
		sql:  "CASE WHEN EXISTS (" + own + ") THEN t.id = (" + own + ") ELSE t.name = ? END",
		args: []any{project, project, name},
	}}, Limit: 1})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "Volume type with name %s could not be found.", name)
	}
	if err != nil {
		return VolumeType{}, err
	}
	return found[0], nil
}

// SetDefaultType gives a project a default type, in place of the one it had.
// NotFound when the type is gone.
func (t *Tx) SetDefaultType(ctx context.Context, project, typeID string) error {
	if _, err := t.HoldType(ctx, typeID); err != nil {
		return err
	}
	return t.gorm.Exec(`INSERT INTO default_types (project_id, volume_type_id) VALUES (?, ?)
		ON CONFLICT (project_id) DO UPDATE SET volume_type_id = EXCLUDED.volume_type_id`, project, typeID).Error
}

// UnsetDefaultType takes it away. May be repeated.
func (t *Tx) UnsetDefaultType(ctx context.Context, project string) error {
	return t.gorm.Exec("DELETE FROM default_types WHERE project_id = ?", project).Error
}

// TypeIsDefault is what Cinder says when a default type is to be deleted.
func TypeIsDefault(id string) error {
	return fault.New(fault.Invalid, "The volume type %s is a default volume type and cannot be deleted.", id)
}

// refuseDefault is Invalid when a locked type is some project's default.
func (t *Tx) refuseDefault(id string) error {
	var is bool
	err := t.gorm.Raw("SELECT EXISTS (SELECT 1 FROM default_types WHERE volume_type_id = ?)", id).Scan(&is).Error
	if err == nil && is {
		err = TypeIsDefault(id)
	}
	return err
}
