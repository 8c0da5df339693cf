package db

import (
	"context"

	"clinker/internal/fault"
)

// GroupUse is the use of quota that a group means: sign 1 to reserve it, -1 to
// give it back. It counts until it is deleted, also in error, as in Cinder.
func GroupUse(sign int) []Delta { return []Delta{{QuotaGroups, sign}} }

// InsertGroup writes a new group as it stands, in status creating, with the
// types that its volumes may have, and its quota. NotFound when its type or one
// of the volume types is gone.
func (t *Tx) InsertGroup(ctx context.Context, g *Group, limits Limits) error {
	g.Status, g.Generation, g.CreatedAt = GroupCreating, 1, t.Now()
	held := t.gorm.Exec("SELECT 1 FROM group_types WHERE id = ? AND deleted_at IS NULL FOR KEY SHARE", g.GroupTypeID)
	if held.Error == nil && held.RowsAffected == 0 {
		return groupTypeNotFound(g.GroupTypeID)
	}
	if held.Error != nil {
		return held.Error
	}
	if err := t.gorm.Create(g).Error; err != nil {
		return err
	}
	for _, kind := range g.VolumeTypes {
		if _, err := t.HoldType(ctx, kind); err != nil {
			return err
		}
		err := t.gorm.Exec("INSERT INTO group_volume_types (group_id, volume_type_id) VALUES (?, ?) ON CONFLICT DO NOTHING", g.ID, kind).Error
		if err != nil {
			return err
		}
	}
	movedGroups.begin(t, g.ID, g.Generation, g.Status)
	return t.Use(ctx, g.ProjectID, GroupUse(1), limits)
}

// FinishGroup: the group has its pool, and its volumes if it was made from a
// source. Conflict when g is not the row as it is now.
func (t *Tx) FinishGroup(ctx context.Context, g Group, pool Pool) error {
	_, err := t.MoveGroupAt(ctx, g, GroupPlaced, "", map[string]any{"pool_id": pool.ID, "availability_zone": pool.AvailabilityZone})
	return err
}

// HoldGroupForVolume keeps a group as it is while a volume is made in it. Invalid,
// in Cinder's words, when it is not available.
func (t *Tx) HoldGroupForVolume(ctx context.Context, id string) error {
	g, err := t.HoldGroup(ctx, id)
	if err != nil {
		return err
	}
	return g.TakesVolumes()
}

// TakesVolumes is nil when volumes can be made in the group.
func (g Group) TakesVolumes() error {
	if g.Status != GroupAvailable || g.PoolID == nil {
		return fault.New(fault.Invalid, "Invalid Group: Originating group status must be one of 'available' values")
	}
	return nil
}

// HoldTypeSpecs is HoldType that gives the type's extra specs too.
func (t *Tx) HoldTypeSpecs(ctx context.Context, id string) (name string, specs StringMap, err error) {
	kind, err := first(ctx, t, scanVolumeType, typeNotFound(id), "SELECT "+volumeTypes.columns+` FROM volume_types t
		WHERE t.id = $1 AND t.deleted_at IS NULL FOR KEY SHARE`, id)
	return kind.Name, kind.ExtraSpecs, err
}

// VolumeTypeInGroups tells whether volumes of any live group may have the type.
func (t *Tx) VolumeTypeInGroups(ctx context.Context, id string) (bool, error) {
	var used bool
	err := t.gorm.Raw(`SELECT EXISTS (SELECT 1 FROM group_volume_types m JOIN groups g ON g.id = m.group_id
		WHERE m.volume_type_id = ? AND g.deleted_at IS NULL)`, id).Scan(&used).Error
	return used, err
}

// GroupPool gives the id of a group's pool, nil for none, also of one that has
// been deleted since.
func (d *DB) GroupPool(ctx context.Context, id string) (pool *string, err error) {
	var found []*string
	err = d.gorm.WithContext(ctx).Raw("SELECT pool_id FROM groups WHERE id = ?", id).Scan(&found).Error
	if len(found) > 0 {
		pool = found[0]
	}
	return pool, err
}
