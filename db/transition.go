package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"clinker/internal/fault"
)

// Settled as a Move's target means: the status that the volume's attachments
// give it. Deriving it, rather than remembering a previous status, leaves
// nothing that could go stale while a volume is extended or copied.
const Settled = "(settled)"

// Same as a Move's target keeps the status: only the generation is raised.
const Same = "(same)"

// Move is one legal change of a volume's status; volume_moves.go has them all.
type Move struct {
	Name string   // for the history and for messages
	From []string // empty: any
	To   string
}

// settledSQL derives a status from the attachments that are left
// (states.tsv, attachments.delete), and from os-reserve.
const settledSQL = `CASE WHEN v.held THEN 'attaching' ELSE COALESCE((SELECT CASE
	WHEN bool_or(a.attach_status IN ('attached', 'detaching', 'error_detaching')) THEN 'in-use'
	WHEN bool_or(a.attach_status = 'attaching') THEN 'attaching'
	WHEN count(*) > 0 THEN 'reserved' END
	FROM attachments a WHERE a.volume_id = v.id AND a.deleted_at IS NULL), 'available') END`

// MoveVolume changes a volume's status by compare-and-set, raises its
// generation and writes the history; set holds further columns for the same
// statement. It gives the row as it is then. Conflict, with the status it found
// in the message, when the volume is in none of the Move's statuses; NotFound
// when it is gone.
func (t *Tx) MoveVolume(ctx context.Context, id string, m Move, reason string, set map[string]any) (Volume, error) {
	if m.To == Settled {
		if err := t.lockVolume(id); err != nil {
			return Volume{}, err
		}
	}
	return t.move(id, 0, m, reason, set)
}

// MoveVolumeAt is MoveVolume for a worker that acted upon v: Conflict also when
// anything has moved the volume since v was read. The worker then reads the row
// again and decides anew.
func (t *Tx) MoveVolumeAt(ctx context.Context, v Volume, m Move, reason string, set map[string]any) (Volume, error) {
	if m.To == Settled {
		if err := t.lockVolume(v.ID); err != nil {
			return v, err
		}
	}
	return t.move(v.ID, v.Generation, m, reason, set)
}

// lockVolume keeps every other change of the volume out until this transaction
// ends. It comes before a Settled move: the derived status reads other rows, and
// an UPDATE that had to wait for this row would read them as they were before it
// waited. NotFound when the volume is gone.
func (t *Tx) lockVolume(id string) error {
	if t.locked == id {
		return nil
	}
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Exec("SELECT 1 FROM volumes WHERE "+where+" FOR UPDATE", args...)
	if result.Error == nil && result.RowsAffected == 0 {
		return VolumeNotFound(id)
	}
	t.locked = id
	return result.Error
}

// move does it; the generation is the one to be moved from, 0 for any.
func (t *Tx) move(id string, generation int64, m Move, reason string, set map[string]any) (Volume, error) {
	var v Volume
	sql, args := t.moveStatement(id, generation, m, reason, set)
	result := t.gorm.Raw(sql, args...).Scan(&v)
	if result.Error != nil {
		return v, result.Error
	}
	if result.RowsAffected == 0 {
		return v, t.explainMove(id, m)
	}
	t.locked = id
	return v, nil
}

func (t *Tx) moveStatement(id string, generation int64, m Move, reason string, set map[string]any) (string, []any) {
	status, args := "?", []any{m.To}
	switch m.To {
	case Settled:
		status, args = settledSQL, nil
	case Same:
		status, args = "v.status", nil
	}
	assignments := []string{"status = " + status, "generation = v.generation + 1", "updated_at = now()"}
	for _, column := range sortedKeys(set) {
		assignments = append(assignments, column+" = ?")
		args = append(args, set[column])
	}
	where := "v.id = ? AND v.deleted_at IS NULL"
	args = append(args, id)
	if len(m.From) > 0 {
		where += " AND v.status IN ?"
		args = append(args, m.From)
	}
	if generation != 0 {
		where += " AND v.generation = ?"
		args = append(args, generation)
	}
	where, args = t.within(where, args, "v.project_id")
	if reason == "" {
		reason = m.Name
	}
	return fmt.Sprintf(`WITH moved AS (UPDATE volumes v SET %s WHERE %s RETURNING v.*),
		history AS (INSERT INTO volume_history (volume_id, generation, status, reason)
			SELECT id, generation, status, ? FROM moved)
		SELECT * FROM moved`, strings.Join(assignments, ", "), where), append(args, reason)
}

// explainMove tells why the compare-and-set met no row.
func (t *Tx) explainMove(id string, m Move) error {
	var status string
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Raw("SELECT status FROM volumes WHERE "+where, args...).Scan(&status)
	if result.Error != nil {
		return result.Error
	}
	if result.RowsAffected == 0 {
		return VolumeNotFound(id)
	}
	if len(m.From) == 0 || slices.Contains(m.From, status) {
		return fault.New(fault.Conflict, "Volume %s was changed by another request at the same time.", id)
	}
	return fault.New(fault.Conflict, "Volume %s status must be %s to %s, but current status is: %s.",
		id, strings.Join(m.From, " or "), m.Name, status)
}

// sortedKeys gives the columns of a set in one order, so that the statement's
// text, and with it its plan, is the same each time.
func sortedKeys(set map[string]any) []string { return slices.Sorted(maps.Keys(set)) }
