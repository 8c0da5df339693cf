package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/clause"

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
	return t.move(ctx, id, 0, m, reason, set)
}

// MoveVolumeAt is MoveVolume for a worker that acted upon v: Conflict also when
// anything has moved the volume since v was read. The worker then reads the row
// again and decides anew.
func (t *Tx) MoveVolumeAt(ctx context.Context, v Volume, m Move, reason string, set map[string]any) (Volume, error) {
	return t.move(ctx, v.ID, v.Generation, m, reason, set)
}

// lockVolume keeps every other change of the volume out until this transaction
// ends. It comes before a Settled move: the derived status reads other rows, and
// an UPDATE that had to wait for this row would read them as they were before it
// waited. NotFound, with the next statement, when the volume is gone.
func (t *Tx) lockVolume(id string) {
	if t.locked != id {
		var b builder
		t.expect(VolumeNotFound(id), "SELECT 1 FROM volumes v WHERE "+t.live(&b, "v", id)+" FOR UPDATE", b.args...)
		t.locked = id
	}
}

// movedVolume reads what a Move gives: the table's columns, without the name of
// the type, which is in another table.
var movedVolume = strings.Replace(volumes.columns, "t.name", "''", 1)

// move does it; the generation is the one to be moved from, 0 for any.
func (t *Tx) move(ctx context.Context, id string, generation int64, m Move, reason string, set map[string]any) (Volume, error) {
	if m.To == Settled {
		t.lockVolume(id)
	}
	var b builder
	moved, err := all(ctx, t, scanVolume, t.moveStatement(&b, id, generation, m, reason, set), b.args...)
	if err == nil && len(moved) == 0 {
		err = t.explainMove(ctx, id, m)
	}
	if err != nil {
		return Volume{}, err
	}
	t.locked = id
	return moved[0], nil
}

func (t *Tx) moveStatement(b *builder, id string, generation int64, m Move, reason string, set map[string]any) string {
	assignments := []string{"generation = v.generation + 1", "updated_at = now()"}
	switch m.To {
	case Settled:
		assignments = append(assignments, "status = "+settledSQL)
	case Same:
	default:
		assignments = append(assignments, "status = "+b.arg(m.To))
	}
	if reason == "" {
		reason = m.Name
	}
	return fmt.Sprintf(`WITH moved AS (UPDATE volumes v SET %s WHERE %s RETURNING v.*),
		history AS (INSERT INTO volume_history (volume_id, generation, status, reason)
			SELECT id, generation, status, %s FROM moved)
		SELECT %s FROM moved v`, b.set(assignments, set), t.live(b, "v", id)+b.among("v.status", m.From)+b.at("v", generation), b.arg(reason), movedVolume)
}

// set lists what an UPDATE assigns: values, or what gorm.Expr computes. The columns are in one order, so that the
// statement's text, and with it its plan, is the same each time.
func (b *builder) set(assignments []string, set map[string]any) string {
	for _, column := range slices.Sorted(maps.Keys(set)) {
		value := ""
		if e, computed := set[column].(clause.Expr); computed {
			value = b.fill(Condition{sql: e.SQL, args: e.Vars})
		} else {
			value = b.arg(set[column])
		}
		assignments = append(assignments, column+" = "+value)
	}
	return strings.Join(assignments, ", ")
}

// live is the condition of the row with that id, if it has not been deleted, and
// is of the project that this transaction is limited to.
func (t *Tx) live(b *builder, alias, id string) string {
	where := fmt.Sprintf("%[1]s.id = %[2]s AND %[1]s.deleted_at IS NULL", alias, b.arg(id))
	if t.project != "" {
		where += fmt.Sprintf(" AND %s.project_id = %s", alias, b.arg(t.project))
	}
	return where
}

// among adds the statuses of a compare-and-set, if there are any.
func (b *builder) among(column string, statuses []string) string {
	if len(statuses) == 0 {
		return ""
	}
	return fmt.Sprintf(" AND %s = ANY(%s)", column, b.arg(statuses))
}

// at adds the generation of a compare-and-set, unless it is 0.
func (b *builder) at(alias string, generation int64) string {
	if generation == 0 {
		return ""
	}
	return fmt.Sprintf(" AND %s.generation = %s", alias, b.arg(generation))
}

// explainMove tells why the compare-and-set met no row.
func (t *Tx) explainMove(ctx context.Context, id string, m Move) error {
	var b builder
	status, err := first(ctx, t, pgx.RowTo[string], VolumeNotFound(id),
		"SELECT v.status FROM volumes v WHERE "+t.live(&b, "v", id), b.args...)
	if err != nil {
		return err
	}
	if len(m.From) == 0 || slices.Contains(m.From, status) {
		return fault.New(fault.Conflict, "Volume %s was changed by another request at the same time.", id)
	}
	return fault.New(fault.Conflict, "Volume %s status must be %s to %s, but current status is: %s.",
		id, strings.Join(m.From, " or "), m.Name, status)
}
