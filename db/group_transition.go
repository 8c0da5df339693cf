package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"clinker/internal/fault"
)

// kept is a table whose rows have a status and a history beside it.
type kept struct {
	table, history, key string // key is the history's column of the row's id
	what                string // in messages
	missing             func(id string) error
}

var (
	keptGroups         = kept{"groups", "group_history", "group_id", "Group", GroupNotFound}
	keptGroupSnapshots = kept{"group_snapshots", "group_snapshot_history", "group_snapshot_id", "GroupSnapshot", GroupSnapshotNotFound}
)

// MoveGroup changes a group's status by compare-and-set, raises its generation
// and writes the history; set holds further columns for the same statement. It
// gives the row as it is then, without what queries join. Conflict, with the
// status it found in the message, when the group is in none of the Move's
// statuses; NotFound when it is gone.
func (t *Tx) MoveGroup(ctx context.Context, id string, m Move, reason string, set map[string]any) (Group, error) {
	var g Group
	return g, t.moveKept(keptGroups, id, 0, m, reason, set, &g)
}

// MoveGroupAt is MoveGroup for a worker that acted upon g: Conflict also when
// anything has moved the group since g was read.
func (t *Tx) MoveGroupAt(ctx context.Context, g Group, m Move, reason string, set map[string]any) (Group, error) {
	var moved Group
	return moved, t.moveKept(keptGroups, g.ID, g.Generation, m, reason, set, &moved)
}

func (t *Tx) moveKept(k kept, id string, generation int64, m Move, reason string, set map[string]any, into any) error {
	assignments, args := []string{"generation = r.generation + 1", "updated_at = now()"}, []any{}
	if m.To != Same {
		assignments, args = append(assignments, "status = ?"), append(args, m.To)
	}
	for _, column := range slices.Sorted(maps.Keys(set)) {
		assignments, args = append(assignments, column+" = ?"), append(args, set[column])
	}
	where, args := t.within("r.id = ? AND r.deleted_at IS NULL", append(args, id), "r.project_id")
	if len(m.From) > 0 {
		where, args = where+" AND r.status IN ?", append(args, m.From)
	}
	if generation != 0 {
		where, args = where+" AND r.generation = ?", append(args, generation)
	}
	if reason == "" {
		reason = m.Name
	}
	result := t.gorm.Raw(fmt.Sprintf(`WITH moved AS (UPDATE %s r SET %s WHERE %s RETURNING r.*),
		history AS (INSERT INTO %s (%s, generation, status, reason) SELECT id, generation, status, ? FROM moved)
		SELECT * FROM moved`, k.table, strings.Join(assignments, ", "), where, k.history, k.key), append(args, reason)...).Scan(into)
	if result.Error == nil && result.RowsAffected == 0 {
		return t.explainKept(k, id, m)
	}
	return result.Error
}

// explainKept tells why the compare-and-set met no row.
func (t *Tx) explainKept(k kept, id string, m Move) error {
	var status string
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Raw("SELECT status FROM "+k.table+" WHERE "+where, args...).Scan(&status)
	if result.Error != nil {
		return result.Error
	}
	if result.RowsAffected == 0 {
		return k.missing(id)
	}
	if len(m.From) == 0 || slices.Contains(m.From, status) {
		return fault.New(fault.Conflict, "%s %s was changed by another request at the same time.", k.what, id)
	}
	return fault.New(fault.Conflict, "%s %s status must be %s to %s, but current status is: %s.",
		k.what, id, strings.Join(m.From, " or "), m.Name, status)
}

// begin writes the first line of a row's history.
func (t *Tx) beginHistory(k kept, id, status string) error {
	return t.gorm.Exec(fmt.Sprintf("INSERT INTO %s (%s, generation, status, reason) VALUES (?, 1, ?, 'requested')", k.history, k.key), id, status).Error
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
