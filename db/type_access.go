package db

import (
	"context"

	"clinker/internal/fault"
)

// Which projects may use a volume type that is not public.

// TypeAccess lists the projects that may use a type, by their ids.
func (d *DB) TypeAccess(ctx context.Context, typeID string) ([]string, error) {
	var projects []string
	return projects, d.gorm.WithContext(ctx).
		Raw("SELECT project_id FROM volume_type_projects WHERE volume_type_id = ? ORDER BY project_id", typeID).Scan(&projects).Error
}

// AllowType lets a project use a private type. Conflict, in Cinder's words, when
// it may already; Invalid when everybody may; NotFound when the type is gone.
func (t *Tx) AllowType(ctx context.Context, typeID, project string) error {
	if err := t.lockPrivateType(ctx, typeID); err != nil {
		return err
	}
	result := t.gorm.Exec(`INSERT INTO volume_type_projects (volume_type_id, project_id) VALUES (?, ?)
		ON CONFLICT DO NOTHING`, typeID, project)
	if result.Error == nil && result.RowsAffected == 0 {
		return fault.New(fault.Conflict, "Volume type access for %s / %s combination already exists.", typeID, project)
	}
	return result.Error
}

// DisallowType ends that. The project's volumes of the type stay. NotFound, in
// Cinder's words, when the project may not use it; Invalid as for AllowType.
func (t *Tx) DisallowType(ctx context.Context, typeID, project string) error {
	if err := t.lockPrivateType(ctx, typeID); err != nil {
		return err
	}
	result := t.gorm.Exec("DELETE FROM volume_type_projects WHERE volume_type_id = ? AND project_id = ?", typeID, project)
	if result.Error == nil && result.RowsAffected == 0 {
		return fault.New(fault.NotFound, "Volume type access not found for %s / %s combination.", typeID, project)
	}
	return result.Error
}

// lockPrivateType keeps a type from being deleted or made public meanwhile.
func (t *Tx) lockPrivateType(ctx context.Context, id string) error {
	kind, err := t.LockVolumeType(ctx, id)
	if err == nil && kind.IsPublic {
		err = fault.New(fault.Invalid, "Invalid volume type: Type access modification is not applicable to public volume type.")
	}
	return err
}
