package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"clinker/internal/fault"
)

// MoveSnapshot changes a snapshot's status by compare-and-set, raises its
// generation and writes the history; set holds further columns for the same
// statement. It gives the row as it is then. Conflict, with the status it found
// in the message, when the snapshot is in none of the Move's statuses; NotFound
// when it is gone.
func (t *Tx) MoveSnapshot(ctx context.Context, id string, m Move, reason string, set map[string]any) (Snapshot, error) {
	return t.moveSnapshot(id, 0, m, reason, set)
}

// MoveSnapshotAt is MoveSnapshot for a worker that acted upon s: Conflict also
// when anything has moved the snapshot since s was read.
func (t *Tx) MoveSnapshotAt(ctx context.Context, s Snapshot, m Move, reason string, set map[string]any) (Snapshot, error) {
	return t.moveSnapshot(s.ID, s.Generation, m, reason, set)
}

func (t *Tx) moveSnapshot(id string, generation int64, m Move, reason string, set map[string]any) (Snapshot, error) {
	var s Snapshot
	sql, args := t.moveSnapshotStatement(id, generation, m, reason, set)
	result := t.gorm.Raw(sql, args...).Scan(&s)
	if result.Error == nil && result.RowsAffected == 0 {
		return s, t.explainSnapshot(id, m)
	}
	return s, result.Error
}

func (t *Tx) moveSnapshotStatement(id string, generation int64, m Move, reason string, set map[string]any) (string, []any) {
	assignments, args := []string{"generation = s.generation + 1", "updated_at = now()"}, []any{}
	if m.To != Same {
		assignments, args = append(assignments, "status = ?"), append(args, m.To)
	}
	for _, column := range sortedKeys(set) {
		assignments, args = append(assignments, column+" = ?"), append(args, set[column])
	}
	where := "s.id = ? AND s.deleted_at IS NULL"
	args = append(args, id)
	if len(m.From) > 0 {
		where, args = where+" AND s.status IN ?", append(args, m.From)
	}
	if generation != 0 {
		where, args = where+" AND s.generation = ?", append(args, generation)
	}
	where, args = t.within(where, args, "s.project_id")
	if reason == "" {
		reason = m.Name
	}
	return fmt.Sprintf(`WITH moved AS (UPDATE snapshots s SET %s WHERE %s RETURNING s.*),
		history AS (INSERT INTO snapshot_history (snapshot_id, generation, status, reason)
			SELECT id, generation, status, ? FROM moved)
		SELECT * FROM moved`, strings.Join(assignments, ", "), where), append(args, reason)
}

// explainSnapshot tells why the compare-and-set met no row.
func (t *Tx) explainSnapshot(id string, m Move) error {
	var status string
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Raw("SELECT status FROM snapshots WHERE "+where, args...).Scan(&status)
	if result.Error != nil {
		return result.Error
	}
	if result.RowsAffected == 0 {
		return SnapshotNotFound(id)
	}
	if len(m.From) == 0 || slices.Contains(m.From, status) {
		return fault.New(fault.Conflict, "Snapshot %s was changed by another request at the same time.", id)
	}
	return fault.New(fault.Conflict, "Snapshot %s status must be %s to %s, but current status is: %s.",
		id, strings.Join(m.From, " or "), m.Name, status)
}
