package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// MoveSnapshot changes a snapshot's status by compare-and-set, raises its
// generation and writes the history; set holds further columns for the same
// statement. It gives the row as it is then. Conflict, with the status it found
// in the message, when the snapshot is in none of the Move's statuses; NotFound
// when it is gone.
func (t *Tx) MoveSnapshot(ctx context.Context, id string, m Move, reason string, set map[string]any) (Snapshot, error) {
	return t.moveSnapshot(ctx, id, 0, m, reason, set)
}

// MoveSnapshotAt is MoveSnapshot for a worker that acted upon s: Conflict also
// when anything has moved the snapshot since s was read.
func (t *Tx) MoveSnapshotAt(ctx context.Context, s Snapshot, m Move, reason string, set map[string]any) (Snapshot, error) {
	return t.moveSnapshot(ctx, s.ID, s.Generation, m, reason, set)
}

func (t *Tx) moveSnapshot(ctx context.Context, id string, generation int64, m Move, reason string, set map[string]any) (Snapshot, error) {
	var b builder
	moved, err := all(ctx, t, scanSnapshot, t.moveSnapshotStatement(&b, id, generation, m, reason, set), b.args...)
	if err == nil && len(moved) == 0 {
		err = t.explainSnapshot(ctx, id, m)
	}
	if err != nil {
		return Snapshot{}, err
	}
	return moved[0], nil
}

func (t *Tx) moveSnapshotStatement(b *builder, id string, generation int64, m Move, reason string, set map[string]any) string {
	assignments := []string{"generation = s.generation + 1", "updated_at = now()"}
	if m.To != Same {
		assignments = append(assignments, "status = "+b.arg(m.To))
	}
	if reason == "" {
		reason = m.Name
	}
	return fmt.Sprintf(`WITH moved AS (UPDATE snapshots s SET %s WHERE %s RETURNING s.*),
		history AS (INSERT INTO snapshot_history (snapshot_id, generation, status, reason)
			SELECT id, generation, status, %s FROM moved)
		SELECT %s FROM moved s`, b.set(assignments, set), t.live(b, "s", id)+b.among("s.status", m.From)+b.at("s", generation), b.arg(reason), snapshots.columns)
}

// explainSnapshot tells why the compare-and-set met no row.
func (t *Tx) explainSnapshot(ctx context.Context, id string, m Move) error {
	var b builder
	status, err := first(ctx, t, pgx.RowTo[string], SnapshotNotFound(id),
		"SELECT s.status FROM snapshots s WHERE "+t.live(&b, "s", id), b.args...)
	if err != nil {
		return err
	}
	if len(m.From) == 0 || slices.Contains(m.From, status) {
		return fault.New(fault.Conflict, "Snapshot %s was changed by another request at the same time.", id)
	}
	return fault.New(fault.Conflict, "Snapshot %s status must be %s to %s, but current status is: %s.",
		id, strings.Join(m.From, " or "), m.Name, status)
}
