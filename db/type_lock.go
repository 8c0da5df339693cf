package db

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// A volume's type is read before its volume is written. In between, the type
// might be renamed, changed or deleted by somebody else. Who makes a volume
// therefore holds the type (HoldType) before anything is counted under its
// name; who changes a type locks it (LockVolumeType), which waits for the
// former and is waited for.

// HoldType keeps a type as it is until the transaction ends and gives its name.
// Many may hold it at once. NotFound when it is gone.
func (t *Tx) HoldType(ctx context.Context, id string) (name string, err error) {
	return first(ctx, t, pgx.RowTo[string], typeNotFound(id),
		"SELECT name FROM volume_types WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE", id)
}

// HoldTypeAs is HoldType for who has read the type before. Conflict when its
// volumes are encrypted now and were not then, or the other way round.
func (t *Tx) HoldTypeAs(ctx context.Context, was VolumeType) (name string, err error) {
	is, err := first(ctx, t, func(row pgx.CollectableRow) (is VolumeType, err error) {
		return is, row.Scan(&is.Name, &is.Encrypted)
	}, typeNotFound(was.ID), "SELECT name, encrypted FROM volume_types WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE", was.ID)
	if err == nil && is.Encrypted != was.Encrypted {
		err = fault.New(fault.Conflict, "The encryption of volume type %s was changed at the same time.", was.ID)
	}
	return is.Name, err
}

// LockVolumeType reads a type and keeps everybody else from making volumes of
// it or changing it until the transaction ends. NotFound when there is none.
func (t *Tx) LockVolumeType(ctx context.Context, id string) (VolumeType, error) {
	var v VolumeType
	if !ValidID(id) {
		return v, typeNotFound(id)
	}
	result := t.gorm.Raw("SELECT * FROM volume_types WHERE id = ? AND deleted_at IS NULL FOR UPDATE", id).Scan(&v)
	if result.Error == nil && result.RowsAffected == 0 {
		return v, typeNotFound(id)
	}
	return v, result.Error
}

// LockUnusedType is LockVolumeType for changes that would not reach the volumes
// there are: Invalid when any live volume has the type.
func (t *Tx) LockUnusedType(ctx context.Context, id string) (VolumeType, error) {
	v, err := t.LockVolumeType(ctx, id)
	if err != nil {
		return v, err
	}
	used, err := t.TypeInUse(ctx, id)
	if err == nil && used {
		err = fault.New(fault.Invalid, "Volume Type is currently in use.")
	}
	return v, err
}

// RenameTypeQuota gives the quotas of a type, and what is counted against them,
// the type's new name. The type must be locked.
func (t *Tx) RenameTypeQuota(ctx context.Context, from, to string) error {
	for _, resource := range typeResources {
		for _, table := range []string{"quotas", "quota_classes", "quota_usages"} {
			before, after := resource+"_"+from, resource+"_"+to
			// What a type of that name left behind, which is no more.
			if err := t.gorm.Exec(fmt.Sprintf("DELETE FROM %s WHERE resource = ?", table), after).Error; err != nil {
				return err
			}
			if err := t.gorm.Exec(fmt.Sprintf("UPDATE %s SET resource = ? WHERE resource = ?", table), after, before).Error; err != nil {
				return err
			}
		}
	}
	return nil
}

// TypesWithSpecs are conditions that a type's extra specs hold all the pairs.
// RESKEY:availability_zones is a list, of which one zone may be asked for.
func TypesWithSpecs(specs map[string]string) []Condition {
	var all []Condition
	for key, value := range specs {
		if key == "RESKEY:availability_zones" {
			escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
			all = append(all, Condition{sql: "t.extra_specs ->> ?::text LIKE ?", args: []any{key, "%" + escape.Replace(value) + "%"}})
			continue
		}
		all = append(all, Condition{sql: "t.extra_specs ->> ?::text = ?", args: []any{key, value}})
	}
	return all
}

// PrivateTypes are those that only some projects may use.
var PrivateTypes = Condition{sql: "NOT t.is_public"}

// TypeSpecNotFound is what Cinder says of an extra spec that is not there.
func TypeSpecNotFound(id, key string) error {
	return fault.New(fault.NotFound, "Volume Type %s has no extra specs with key %s.", id, key)
}

// TypeNames lists the names of all live types, for the quotas of each.
func (d *DB) TypeNames(ctx context.Context) ([]string, error) {
	var names []string
	return names, d.gorm.WithContext(ctx).Raw("SELECT name FROM volume_types WHERE deleted_at IS NULL ORDER BY name").Scan(&names).Error
}
