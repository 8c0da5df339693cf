package db

import (
	"context"
	"slices"
	"strings"

	"clinker/internal/fault"
)

// GroupChange is what an update of a group asks for.
type GroupChange struct {
	Name, Description *string  // nil leaves them
	Add, Remove       []string // ids of volumes
}

// ChangeGroup adds and removes volumes and writes the texts, all or nothing.
// Volumes come and go only while the group is available, and without work on a
// node: they are on the group's backend already. Invalid, in Cinder's words,
// when something does not allow it.
func (t *Tx) ChangeGroup(ctx context.Context, g Group, change GroupChange) error {
	locked, err := t.lockGroup(g.ID)
	if err != nil {
		return err
	}
	move := Move{"change its texts", nil, Same}
	if slices.Contains([]string{GroupError, GroupErrorDeleting}, locked.Status) && locked.PoolID != nil {
		move.To = GroupAvailable // as in Cinder; one that is on its way stays so
	}
	if len(change.Add)+len(change.Remove) > 0 {
		move = GroupUpdated
	}
	set := map[string]any{}
	if change.Name != nil {
		set["name"] = *change.Name
	}
	if change.Description != nil {
		set["description"] = *change.Description
	}
	if _, err := t.MoveGroup(ctx, g.ID, move, "", set); err != nil {
		if fault.Is(err, fault.Conflict) {
			err = fault.Wrap(err, fault.Invalid, "Invalid Group: Group status must be available.")
		}
		return err
	}
	return t.changeMembers(ctx, g, change)
}

func (t *Tx) changeMembers(ctx context.Context, g Group, change GroupChange) error {
	members := append(slices.Clone(change.Add), change.Remove...)
	slices.Sort(members) // one order, so that two requests never wait for each other crosswise
	for _, id := range slices.Compact(members) {
		var err error
		if slices.Contains(change.Add, id) {
			err = t.addToGroup(ctx, g, id)
		} else {
			err = t.removeFromGroup(ctx, g, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lockedVolume reads a live volume for a change; found is false when there is none.
func (t *Tx) lockedVolume(id string) (v Volume, found bool, err error) {
	if !ValidID(id) {
		return v, false, nil
	}
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Raw("SELECT * FROM volumes WHERE "+where+" FOR UPDATE", args...).Scan(&v)
	return v, result.RowsAffected > 0, result.Error
}

func (t *Tx) addToGroup(ctx context.Context, g Group, id string) error {
	refuse := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "Invalid volume: Cannot add volume "+id+" to group "+g.ID+" because "+format, args...)
	}
	v, found, err := t.lockedVolume(id)
	switch {
	case err != nil:
		return err
	case !found:
		return refuse("volume cannot be found.")
	case v.GroupID != nil && *v.GroupID == g.ID:
		return nil // it is there already
	case v.GroupID != nil:
		return refuse("it is already in group %s.", *v.GroupID)
	case v.ProjectID != g.ProjectID:
		return fault.New(fault.Invalid, "Invalid volume: Cannot add volume %s to group %s as they belong to different projects.", id, g.ID)
	case !slices.Contains(g.VolumeTypes, v.VolumeTypeID):
		return refuse("volume type %s is not supported by the group.", v.VolumeTypeID)
	case !slices.Contains(VolumeJoins.From, v.Status):
		return refuse("volume is in an invalid state: %s. Valid states are: ('available', 'in-use').", v.Status)
	case migrating(v):
		return refuse("volume is migrating.")
	case backendOf(v.Host) != backendOf(g.Host):
		return fault.New(fault.Invalid, "Invalid volume: Volume is not local to this node.")
	}
	_, err = t.MoveVolume(ctx, id, VolumeJoins, "", map[string]any{"group_id": g.ID})
	return err
}

// backendOf gives the host@backend of a host@backend#pool.
func backendOf(host *string) string {
	backend, _, _ := strings.Cut(deref(host), "#")
	return backend
}

func (t *Tx) removeFromGroup(ctx context.Context, g Group, id string) error {
	v, found, err := t.lockedVolume(id)
	switch {
	case err != nil:
		return err
	case !found || v.GroupID == nil || *v.GroupID != g.ID:
		return fault.New(fault.Invalid, "Invalid volume: Cannot remove volume %s from group %s because it is not in the group.", id, g.ID)
	case !slices.Contains(VolumeLeaves.From, v.Status):
		return fault.New(fault.Invalid, "Invalid volume: Cannot remove volume %s from group %s because volume is in an invalid state: %s. Valid states are: ('available', 'in-use', 'error', 'error_deleting').",
			id, g.ID, v.Status)
	}
	_, err = t.MoveVolume(ctx, id, VolumeLeaves, "", map[string]any{"group_id": nil})
	return err
}
