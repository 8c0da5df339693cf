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

// Move is one legal change of a row's status; volume_moves.go and its like have
// them all.
type Move struct {
	Name string   // for the history and for messages
	From []string // empty: any
	To   string
}

// stateful is a table whose rows change their status only by Moves, of which a
// table beside it keeps the history.
type stateful[T any] struct {
	name, alias   string
	history, key  string // key is the history's column of the row's id
	what          string // a row, in messages
	columns, from string // what scan reads of a row that has been moved
	scan          pgx.RowToFunc[T]
	missing       func(id string) error
}

// withHistory is the stateful of a table whose history bears its name.
func withHistory[T any](of table, what string, scan pgx.RowToFunc[T], missing func(id string) error) stateful[T] {
	name, rest, _ := strings.Cut(of.from, " ")
	row := strings.TrimSuffix(name, "s")
	return stateful[T]{name, of.alias(), row + "_history", row + "_id", what, of.columns, "moved " + rest, scan, missing}
}

// begin writes the first line of a row's history, with the next statement.
func (s stateful[T]) begin(t *Tx, id string, generation int64, status string) {
	t.later("INSERT INTO "+s.history+" ("+s.key+", generation, status, reason) VALUES ($1, $2, $3, 'requested')", id, generation, status)
}

// move changes a row's status by compare-and-set, raises its generation and writes
// the history; set holds further columns for the same statement. It gives the row
// as it is then. The generation is the one to be moved from, 0 for any. Conflict,
// with the status it found in the message, when the row is in none of the Move's
// statuses; NotFound when it is gone. A row that gets into one of them while it is
// told why it was not moved, is moved after all.
func (s stateful[T]) move(ctx context.Context, t *Tx, id string, generation int64, m Move, reason string, set map[string]any) (none T, err error) {
	var b builder
	statement := s.statement(t, &b, id, generation, m, reason, set)
	for range mostMoves {
		moved, err := all(ctx, t, s.scan, statement, b.args...)
		if err != nil {
			return none, err
		}
		if len(moved) == 1 {
			return moved[0], nil
		}
		if legal, err := s.explain(ctx, t, id, m); !legal || generation != 0 {
			return none, err
		}
	}
	return none, s.meanwhile(id)
}

// mostMoves is how often a row is tried to be moved that others move at the same time.
const mostMoves = 3

func (s stateful[T]) statement(t *Tx, b *builder, id string, generation int64, m Move, reason string, set map[string]any) string {
	assignments := []string{"generation = " + s.alias + ".generation + 1", "updated_at = now()"}
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
	return fmt.Sprintf(`WITH moved AS (UPDATE %[1]s %[2]s SET %[3]s WHERE %[4]s RETURNING %[2]s.*),
		history AS (INSERT INTO %[5]s (%[6]s, generation, status, reason)
			SELECT id, generation, status, %[7]s FROM moved)
		SELECT %[8]s FROM %[9]s`, s.name, s.alias, b.set(assignments, set),
		t.live(b, s.alias, id)+b.among(s.alias+".status", m.From)+b.at(s.alias, generation),
		s.history, s.key, b.arg(reason), s.columns, s.from)
}

// explain tells why the compare-and-set met no row, and whether the row is in a status by
// now that it may be moved from.
func (s stateful[T]) explain(ctx context.Context, t *Tx, id string, m Move) (legal bool, err error) {
	var b builder
	status, err := first(ctx, t, pgx.RowTo[string], s.missing(id),
		"SELECT "+s.alias+".status FROM "+s.name+" "+s.alias+" WHERE "+t.live(&b, s.alias, id), b.args...)
	if err != nil {
		return false, err
	}
	if len(m.From) == 0 || slices.Contains(m.From, status) {
		return true, s.meanwhile(id)
	}
	return false, fault.New(fault.Conflict, "%s %s status must be %s to %s, but current status is: %s.",
		s.what, id, strings.Join(m.From, " or "), m.Name, status)
}

func (s stateful[T]) meanwhile(id string) error {
	return fault.New(fault.Conflict, "%s %s was changed by another request at the same time.", s.what, id)
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
