package db

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// table describes to the list builder what it may select.
type table struct {
	from    string            // FROM clause; the rows' own table is its first, with an alias
	live    string            // condition that leaves out deleted rows
	listed  string            // condition that always holds and lets lists use the indexes made for them; "" without such
	columns string            // what the scanner reads, in its order
	byName  map[string]column // what may be filtered and sorted by, under Cinder's names
}

// Query is what a list request asks for.
type Query struct {
	Where  []Condition // all must hold
	Sort   []Sort      // the id is appended as the last key, in the first key's direction
	Marker string      // id of the last row of the page before; "" for the first page
	Limit  int
	Offset int // rows left out behind the marker
}

// Sort is one key to sort by: a column's Cinder name.
type Sort struct {
	Key  string
	Desc bool
}

// reader reads the rows of a statement to their end.
type reader[T any] func(pgx.Rows) ([]T, error)

// each reads row by row.
func each[T any](scan pgx.RowToFunc[T]) reader[T] {
	return func(rows pgx.Rows) ([]T, error) { return pgx.CollectRows(rows, scan) }
}

// page runs one statement for one page; a second one only when the page is
// empty behind a marker, to tell an end from an unknown marker.
func page[T any](ctx context.Context, d *DB, t table, q Query, read reader[T]) ([]T, error) {
	if q.Limit == 0 {
		return nil, nil
	}
	sql, args, err := t.selectPage(q)
	if err != nil {
		return nil, err
	}
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	items, err := read(rows)
	if err != nil || len(items) > 0 || q.Marker == "" {
		return items, err
	}
	return items, d.checkMarker(ctx, t, q)
}

func (d *DB) checkMarker(ctx context.Context, t table, q Query) error {
	var b builder
	var exists bool
	err := d.pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+b.marked(t, q)+")", b.args...).Scan(&exists)
	if err == nil && !exists {
		return markerNotFound(q.Marker)
	}
	return err
}

func markerNotFound(marker string) error {
	return fault.New(fault.NotFound, "marker %s could not be found.", marker)
}

// count counts what the conditions meet.
func count(ctx context.Context, d *DB, t table, q Query) (int, error) {
	var b builder
	sql := "SELECT count(*) FROM " + t.from + " WHERE " + b.where(t, t.list(q.Where))
	var n int
	err := d.pool.QueryRow(ctx, sql, b.args...).Scan(&n)
	return n, err
}

// one reads a live row by id, in one project unless scope is empty.
func one[T any](ctx context.Context, d *DB, t table, id, scope string, scan pgx.RowToFunc[T], missing func(id string) error) (T, error) {
	var none T
	if !ValidID(id) {
		return none, missing(id)
	}
	alias, args := t.alias(), []any{id}
	sql := "SELECT " + t.columns + " FROM " + t.from + " WHERE " + t.live + " AND " + alias + ".id = $1"
	if scope != "" {
		sql, args = sql+" AND "+alias+".project_id = $2", append(args, scope)
	}
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return none, err
	}
	item, err := pgx.CollectExactlyOneRow(rows, scan)
	if err == pgx.ErrNoRows {
		return none, missing(id)
	}
	return item, err
}

// ValidID tells whether id is a UUID as Cinder writes them: lower case, with
// dashes. Whatever else is asked for does not exist.
func ValidID(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.String() == id
}

// list adds the condition of lists.
func (t table) list(where []Condition) []Condition {
	if t.listed == "" {
		return where
	}
	return append([]Condition{{sql: t.listed}}, where...)
}

func (t table) alias() string {
	_, rest, _ := strings.Cut(t.from, " ")
	alias, _, _ := strings.Cut(rest, " ")
	return alias
}

// insert is the statement that writes a row, all the table's own columns in
// their order.
func (t table) insert() string {
	var columns, values []string
	for column := range strings.SplitSeq(t.columns, ",") {
		if name, own := strings.CutPrefix(strings.TrimSpace(column), t.alias()+"."); own {
			columns = append(columns, name)
			values = append(values, fmt.Sprintf("$%d", len(columns)))
		}
	}
	name, _, _ := strings.Cut(t.from, " ")
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", name, strings.Join(columns, ", "), strings.Join(values, ", "))
}

// values gives what a row's fields hold, for insert: nil is NULL.
func values(fields []any) []any {
	held := make([]any, len(fields))
	for i, field := range fields {
		held[i] = reflect.ValueOf(field).Elem().Interface()
	}
	return held
}

func (t table) selectPage(q Query) (string, []any, error) {
	keys, err := t.keys(q.Sort)
	if err != nil {
		return "", nil, err
	}
	var b builder
	var sql strings.Builder
	fmt.Fprintf(&sql, "SELECT %s FROM %s WHERE %s", t.columns, t.from, b.where(t, t.list(q.Where)))
	if q.Marker != "" {
		if !ValidID(q.Marker) {
			return "", nil, markerNotFound(q.Marker)
		}
		sql.WriteString(" AND " + b.after(t, keys, q))
	}
	sql.WriteString(" ORDER BY " + orderBy(keys))
	fmt.Fprintf(&sql, " LIMIT %s", b.arg(q.Limit))
	if q.Offset > 0 {
		fmt.Fprintf(&sql, " OFFSET %s", b.arg(q.Offset))
	}
	return sql.String(), b.args, nil
}

// key is a sort key resolved to its column.
type key struct {
	column column
	desc   bool
}

func (t table) keys(sorts []Sort) ([]key, error) {
	keys := make([]key, 0, len(sorts)+1)
	for _, s := range sorts {
		c, known := t.byName[s.Key]
		if !known || c.kind == kindMap {
			return nil, fault.New(fault.Invalid, "Invalid input received: sort key '%s' is not valid; it must be one of %s.",
				s.Key, strings.Join(t.names(), ", "))
		}
		if c.sort != "" {
			c.sql, c.null = c.sort, false
		}
		keys = append(keys, key{c, s.Desc})
	}
	hasID := slices.ContainsFunc(sorts, func(s Sort) bool { return s.Key == "id" })
	if !hasID {
		keys = append(keys, key{t.byName["id"], len(keys) == 0 || keys[0].desc})
	}
	return keys, nil
}

func (t table) names() []string {
	var names []string
	for name, c := range t.byName {
		if c.kind != kindMap {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// orderBy puts NULL below every value, as the other databases Cinder runs on do.
func orderBy(keys []key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.column.sql
		switch {
		case k.desc && k.column.null:
			parts[i] += " DESC NULLS LAST"
		case k.desc:
			parts[i] += " DESC"
		case k.column.null:
			parts[i] += " ASC NULLS FIRST"
		}
	}
	return strings.Join(parts, ", ")
}
