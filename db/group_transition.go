package db

import "context"

var movedGroups = withHistory(groups, "Group", scanGroup, GroupNotFound)

// MoveGroup changes a group's status by compare-and-set, raises its generation
// and writes the history; set holds further columns for the same statement. It
// gives the row as it is then. Conflict, with the
// status it found in the message, when the group is in none of the Move's
// statuses; NotFound when it is gone.
func (t *Tx) MoveGroup(ctx context.Context, id string, m Move, reason string, set map[string]any) (Group, error) {
	return movedGroups.move(ctx, t, id, 0, m, reason, set)
}

// MoveGroupAt is MoveGroup for a worker that acted upon g: Conflict also when
// anything has moved the group since g was read.
func (t *Tx) MoveGroupAt(ctx context.Context, g Group, m Move, reason string, set map[string]any) (Group, error) {
	return movedGroups.move(ctx, t, g.ID, g.Generation, m, reason, set)
}

// lockGroup reads a group and keeps everybody else from changing it, or from
// making volumes in it, until the transaction ends. NotFound when it is gone.
func (t *Tx) lockGroup(id string) (Group, error) {
	return t.readGroup(id, "FOR UPDATE")
}

// HoldGroup reads a group and keeps it as it is until the transaction ends; many
// may hold it at once. NotFound when it is gone.
func (t *Tx) HoldGroup(ctx context.Context, id string) (Group, error) {
	return t.readGroup(id, "FOR SHARE")
}

func (t *Tx) readGroup(id, lock string) (Group, error) {
	var g Group
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Raw("SELECT * FROM groups WHERE "+where+" "+lock, args...).Scan(&g)
	if result.Error == nil && result.RowsAffected == 0 {
		return g, GroupNotFound(id)
	}
	return g, result.Error
}
