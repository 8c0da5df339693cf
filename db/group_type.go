package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/clause"

	"clinker/internal/fault"
)

// ConsistencyType is the name of the group type whose groups are what the older
// API calls consistency groups, as in Cinder.
const ConsistencyType = "default_cgsnapshot_type"

// GroupType is a row of group_types.
type GroupType struct {
	ID          string
	Name        string
	Description *string
	IsPublic    bool
	GroupSpecs  StringMap
	CreatedAt   time.Time
	UpdatedAt   *time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt   *time.Time
}

var groupTypes = table{
	from:    "group_types t",
	live:    "t.deleted_at IS NULL",
	columns: `t.id, t.name, t.description, t.is_public, t.group_specs, t.created_at, t.updated_at, t.deleted_at`,
	byName: map[string]column{
		"id": uuidColumn("t.id"), "name": textColumn("t.name"),
		"description": textColumn("t.description").nullable(),
		"is_public":   boolColumn("t.is_public"),
		"created_at":  timeColumn("t.created_at"), "updated_at": timeColumn("t.updated_at").nullable(),
	},
}

func scanGroupType(row pgx.CollectableRow) (GroupType, error) {
	var t GroupType
	err := row.Scan(&t.ID, &t.Name, &t.Description, &t.IsPublic, &t.GroupSpecs, &t.CreatedAt, &t.UpdatedAt, &t.DeletedAt)
	return t, err
}

// GroupTypes gives one page of live group types.
func (d *DB) GroupTypes(ctx context.Context, q Query) ([]GroupType, error) {
	return page(ctx, d, groupTypes, q, each(scanGroupType))
}

// GroupTypesPublic limits a list to the types that everybody sees, or to the
// others.
func GroupTypesPublic(public bool) Condition {
	return Condition{sql: "t.is_public = ?", args: []any{public}, whose: true}
}

// GroupType gives a live group type by id. all includes those that are not
// public. NotFound when there is none, also when id is no UUID.
func (d *DB) GroupType(ctx context.Context, id string, all bool) (GroupType, error) {
	found, err := one(ctx, d, groupTypes, id, "", scanGroupType, groupTypeNotFound)
	if err == nil && !all && !found.IsPublic {
		return GroupType{}, groupTypeNotFound(id)
	}
	return found, err
}

// GroupTypeByName is GroupType by id or, failing that, by name: what a request
// that makes a group may give.
func (d *DB) GroupTypeByName(ctx context.Context, name string, all bool) (GroupType, error) {
	if ValidID(name) {
		if t, err := d.GroupType(ctx, name, all); !fault.Is(err, fault.NotFound) {
			return t, err
		}
	}
	where := []Condition{{sql: "t.name = ?", args: []any{name}}}
	if !all {
		where = append(where, GroupTypesPublic(true))
	}
	found, err := d.GroupTypes(ctx, Query{Where: where, Limit: 1})
	switch {
	case err != nil:
		return GroupType{}, err
	case len(found) > 0:
		return found[0], nil
	case ValidID(name):
		return GroupType{}, groupTypeNotFound(name)
	}
	return GroupType{}, fault.New(fault.NotFound, "Group type with name %s could not be found.", name)
}

func groupTypeNotFound(id string) error {
	return fault.New(fault.NotFound, "Group type %s could not be found.", id)
}

// InsertGroupType writes a new group type; Conflict when its name is taken.
func (t *Tx) InsertGroupType(ctx context.Context, g *GroupType) error {
	err := t.gorm.Create(g).Error
	if duplicate(err) {
		return fault.Wrap(err, fault.Conflict, "Group Type %s already exists.", g.Name)
	}
	return err
}

// LockGroupType reads a group type and keeps everybody else from making groups
// of it or changing it until the transaction ends. NotFound when there is none.
func (t *Tx) LockGroupType(ctx context.Context, id string) (GroupType, error) {
	var g GroupType
	if !ValidID(id) {
		return g, groupTypeNotFound(id)
	}
	result := t.gorm.Raw("SELECT * FROM group_types WHERE id = ? AND deleted_at IS NULL FOR UPDATE", id).Scan(&g)
	if result.Error == nil && result.RowsAffected == 0 {
		return g, groupTypeNotFound(id)
	}
	return g, result.Error
}

// UpdateGroupType writes columns of a live group type and gives the row as it is
// then. Conflict when its new name is taken.
func (t *Tx) UpdateGroupType(ctx context.Context, id string, set map[string]any) (GroupType, error) {
	var g GroupType
	set["updated_at"] = t.gorm.NowFunc()
	result := t.gorm.Model(&g).Clauses(clause.Returning{}).Where("id = ? AND deleted_at IS NULL", id).Updates(set)
	if duplicate(result.Error) {
		return g, fault.Wrap(result.Error, fault.Conflict, "Group Type %v already exists.", set["name"])
	}
	if result.Error == nil && result.RowsAffected == 0 {
		return g, groupTypeNotFound(id)
	}
	return g, result.Error
}

// DeleteGroupType ends a group type that no live group has; Invalid otherwise.
func (t *Tx) DeleteGroupType(ctx context.Context, id string) error {
	if _, err := t.LockGroupType(ctx, id); err != nil {
		return err
	}
	var used bool
	err := t.gorm.Raw("SELECT EXISTS (SELECT 1 FROM groups WHERE group_type_id = ? AND deleted_at IS NULL)", id).Scan(&used).Error
	if err == nil && used {
		err = fault.New(fault.Invalid, "Target group type is still in use.")
	}
	if err != nil {
		return err
	}
	_, err = t.UpdateGroupType(ctx, id, map[string]any{"deleted_at": t.gorm.NowFunc()})
	return err
}
