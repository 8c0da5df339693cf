package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/clause"

	"clinker/internal/fault"
)

// VolumeType is a row of volume_types.
type VolumeType struct {
	ID          string
	Name        string
	Description *string
	IsPublic    bool
	ExtraSpecs  StringMap
	QosSpecsID  *string
	Encrypted   bool // has a TypeEncryption
	CreatedAt   time.Time
	UpdatedAt   *time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt   *time.Time
}

// TableName is GORM's.
func (VolumeType) TableName() string { return "volume_types" }

var volumeTypes = table{
	from: "volume_types t",
	live: "t.deleted_at IS NULL",
	columns: `t.id, t.name, t.description, t.is_public, t.extra_specs, t.qos_specs_id, t.encrypted,
		t.created_at, t.updated_at, t.deleted_at`,
	byName: map[string]column{
		"id": uuidColumn("t.id"), "name": textColumn("t.name"),
		"description": textColumn("t.description").nullable(),
		"is_public":   boolColumn("t.is_public"), "extra_specs": mapColumn("t.extra_specs"),
		"qos_specs_id": uuidColumn("t.qos_specs_id").nullable(),
		"created_at":   timeColumn("t.created_at"), "updated_at": timeColumn("t.updated_at").nullable(),
	},
}

func scanVolumeType(row pgx.CollectableRow) (VolumeType, error) {
	var t VolumeType
	err := row.Scan(&t.ID, &t.Name, &t.Description, &t.IsPublic, &t.ExtraSpecs, &t.QosSpecsID, &t.Encrypted,
		&t.CreatedAt, &t.UpdatedAt, &t.DeletedAt)
	return t, err
}

// VolumeTypes gives one page of live types.
func (d *DB) VolumeTypes(ctx context.Context, q Query) ([]VolumeType, error) {
	return page(ctx, d, volumeTypes, q, each(scanVolumeType))
}

// VolumeTypeFilter is a condition on a column, see VolumeFilter.
func VolumeTypeFilter(name, value string) (Condition, bool, error) {
	return volumeTypes.equal(name, value)
}

// TypesSeenBy leaves out private types that the project was not given.
func TypesSeenBy(project string) Condition {
	return Condition{sql: `(t.is_public OR EXISTS (SELECT 1 FROM volume_type_projects p
		WHERE p.volume_type_id = t.id AND p.project_id = ?))`, args: []any{project}, whose: true}
}

// VolumeType gives a live type by id. project limits it to what that project
// sees; empty for all.
func (d *DB) VolumeType(ctx context.Context, id, project string) (VolumeType, error) {
	if !ValidID(id) {
		return VolumeType{}, typeNotFound(id)
	}
	return d.findType(ctx, project, "t.id = ?", id, typeNotFound(id))
}

// VolumeTypeByName is VolumeType by id or, failing that, by name: what requests
// that make volumes may give.
func (d *DB) VolumeTypeByName(ctx context.Context, name, project string) (VolumeType, error) {
	missing := fault.New(fault.NotFound, "Volume type with name %s could not be found.", name)
	if ValidID(name) {
		if t, err := d.VolumeType(ctx, name, project); !fault.Is(err, fault.NotFound) {
			return t, err
		}
	}
	return d.findType(ctx, project, "t.name = ?", name, missing)
}

func typeNotFound(id string) error {
	return fault.New(fault.NotFound, "Volume type %s could not be found.", id)
}

func (d *DB) findType(ctx context.Context, project, where, arg string, missing error) (VolumeType, error) {
	conditions := []Condition{{sql: where, args: []any{arg}}}
	if project != "" {
		conditions = append(conditions, TypesSeenBy(project))
	}
	found, err := d.VolumeTypes(ctx, Query{Where: conditions, Limit: 1})
	if err == nil && len(found) == 0 {
		err = missing
	}
	if err != nil {
		return VolumeType{}, err
	}
	return found[0], nil
}

// InsertVolumeType writes a new type; Conflict when its name is taken.
func (t *Tx) InsertVolumeType(ctx context.Context, v *VolumeType) error {
	err := t.gorm.Create(v).Error
	if duplicate(err) {
		return fault.Wrap(err, fault.Conflict, "Volume Type %s already exists.", v.Name)
	}
	return err
}

// UpdateVolumeType writes columns of a live type and gives the row as it is then.
func (t *Tx) UpdateVolumeType(ctx context.Context, id string, set map[string]any) (VolumeType, error) {
	var v VolumeType
	set["updated_at"] = t.gorm.NowFunc()
	result := t.gorm.Model(&v).Clauses(clause.Returning{}).Where("id = ? AND deleted_at IS NULL", id).Updates(set)
	if duplicate(result.Error) {
		return v, fault.Wrap(result.Error, fault.Conflict, "Volume Type %v already exists.", set["name"])
	}
	if result.Error == nil && result.RowsAffected == 0 {
		return v, typeNotFound(id)
	}
	return v, result.Error
}

// DeleteVolumeType ends a type that no live volume has, that no group is for and
// that is no project's default; Invalid otherwise. The row is locked against new
// volumes by the volumes' foreign key.
func (t *Tx) DeleteVolumeType(ctx context.Context, id string) error {
	if err := t.gorm.Exec("SELECT 1 FROM volume_types WHERE id = ? FOR UPDATE", id).Error; err != nil {
		return err
	}
	used, err := t.TypeInUse(ctx, id)
	if err == nil && !used {
		used, err = t.VolumeTypeInGroups(ctx, id)
	}
	if err != nil {
		return err
	}
	if used {
		return fault.New(fault.Invalid, "Target volume type is still in use.")
	}
	if err := t.refuseDefault(id); err != nil {
		return err
	}
	_, err = t.UpdateVolumeType(ctx, id, map[string]any{"deleted_at": t.gorm.NowFunc()})
	return err
}

// TypeInUse tells whether any live volume has the type, or is to get it.
func (t *Tx) TypeInUse(ctx context.Context, id string) (bool, error) {
	var used bool
	err := t.gorm.Raw(`SELECT EXISTS (SELECT 1 FROM volumes WHERE volume_type_id = ? AND deleted_at IS NULL AND user_id >= '')
		OR EXISTS (SELECT 1 FROM volume_retypes WHERE volume_type_id = ?)`, id, id).Scan(&used).Error
	return used, err
}
