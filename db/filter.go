package db

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"clinker/internal/fault"
)

// Condition is one condition of a list; ? stands for each argument.
type Condition struct {
	sql  string
	args []any
	// whose: it says whose rows are listed. It holds for the marker too, or a list
	// would tell how another project's row compares with one's own.
	whose bool
}

// ofProject limits a list to the rows of one project.
func ofProject(column, project string) Condition {
	return Condition{sql: column + " = ?", args: []any{project}, whose: true}
}

type kind int

const (
	kindText kind = iota
	kindUUID
	kindInt
	kindBool
	kindTime
	kindMap
)

// column is what a table may be filtered and sorted by.
type column struct {
	sql  string
	kind kind
	null bool
	sort string // what lists are sorted by in its place, never NULL; "" for itself
}

func textColumn(sql string) column { return column{sql: sql, kind: kindText} }
func uuidColumn(sql string) column { return column{sql: sql, kind: kindUUID} }
func intColumn(sql string) column  { return column{sql: sql, kind: kindInt} }
func boolColumn(sql string) column { return column{sql: sql, kind: kindBool} }
func timeColumn(sql string) column { return column{sql: sql, kind: kindTime} }
func mapColumn(sql string) column  { return column{sql: sql, kind: kindMap} }

func (c column) nullable() column { c.null = true; return c }

// sortedAs has an index of that expression serve both the order and equality.
func (c column) sortedAs(sql string) column { c.sort = sql; return c }

// Nothing is met by no row: what Cinder answers an administrator who filters
// by something that is no column.
var Nothing = Condition{sql: "false"}

// VolumeFilter is a condition on a column of volumes, by its Cinder name. known
// is false where there is no such column. A value that the column cannot hold
// is met by no row, except for numbers and booleans, where it is Invalid.
func VolumeFilter(name, value string) (c Condition, known bool, err error) {
	return volumes.equal(name, value)
}

// VolumeLike is a condition that the column contains the value.
func VolumeLike(name, value string) (c Condition, known bool) { return volumes.like(name, value) }

// VolumeTime compares a time column: operator is one of =, <>, <, <=, >, >=.
func VolumeTime(name, operator string, at time.Time) Condition {
	return Condition{sql: volumes.byName[name].sql + " " + operator + " ?", args: []any{at}}
}

// VolumeHas is a condition that a map column holds all the pairs. The metadata
// that volumes show are the user's and ours (readonly, attached_mode), and so
// each pair may be of either.
func VolumeHas(name string, pairs map[string]string) Condition {
	if name != "metadata" {
		return volumes.has(name, pairs)
	}
	all := Condition{sql: "true"}
	for key, value := range pairs {
		pair, _ := json.Marshal(map[string]string{key: value})
		all.sql += " AND (v.metadata @> ?::jsonb OR v.admin_metadata @> ?::jsonb)"
		all.args = append(all.args, string(pair), string(pair))
	}
	return all
}

// VolumesOf limits a list to one project.
func VolumesOf(project string) Condition {
	return ofProject("v.project_id", project)
}

// EveryProject is the condition of lists that are not limited to a project. It
// holds for every row, and names the index that such lists are read from:
// without it, that index would now and then be taken for the lists of a project
// too, whose rows may all be at its far end.
var EveryProject = Condition{sql: "v.size_gib >= 0"}

// NoMigrationTargets leaves out volumes that others are being moved onto.
var NoMigrationTargets = Condition{sql: "(v.migration_status IS NULL OR NOT starts_with(v.migration_status, 'target:'))"}

// VolumeHost matches host, host@backend or host@backend#pool.
func VolumeHost(host string) Condition { return hostCondition("v.host", host) }

func hostCondition(column, host string) Condition {
	return Condition{
		sql:  fmt.Sprintf("(%s = ? OR starts_with(%s, ?) OR starts_with(%s, ?))", column, column, column),
		args: []any{host, host + "@", host + "#"},
	}
}

func (t table) equal(name, value string) (Condition, bool, error) {
	c, known := t.byName[name]
	if !known {
		return Nothing, false, nil
	}
	arg, matchable, err := c.parse(name, value)
	if err != nil || !matchable {
		return Nothing, true, err
	}
	if c.kind == kindMap {
		return Condition{sql: c.sql + " @> ?::jsonb", args: []any{arg}}, true, nil
	}
	if c.sort != "" {
		return Condition{sql: c.sql + " = ? AND " + c.sort + " = ?", args: []any{arg, arg}}, true, nil
	}
	return Condition{sql: c.sql + " = ?", args: []any{arg}}, true, nil
}

func (t table) like(name, value string) (Condition, bool) {
	c, known := t.byName[name]
	if !known {
		return Nothing, false
	}
	escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	return Condition{sql: c.sql + "::text LIKE ?", args: []any{"%" + escape.Replace(value) + "%"}}, true
}

// has is a condition that a map column holds all the pairs.
func (t table) has(name string, pairs map[string]string) Condition {
	text, _ := json.Marshal(pairs)
	return Condition{sql: t.byName[name].sql + " @> ?::jsonb", args: []any{string(text)}}
}

// parse turns a query's text into the column's type.
func (c column) parse(name, value string) (arg any, matchable bool, err error) {
	invalid := func(want string) error {
		return fault.New(fault.Invalid, "Invalid input received: filter %s is '%s' but must be %s.", name, value, want)
	}
	switch c.kind {
	case kindUUID:
		return value, ValidID(value), nil
	case kindInt:
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return nil, false, invalid("a whole number")
		}
		return n, true, nil
	case kindBool:
		b, err := strconv.ParseBool(strings.ToLower(value))
		if err != nil {
			return nil, false, invalid("true or false")
		}
		return b, true, nil
	case kindTime:
		at, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(value, "Z"))
		if err != nil {
			return nil, false, invalid("a time such as 2026-01-02T15:04:05")
		}
		return at, true, nil
	case kindMap:
		pairs := map[string]string{}
		if json.Unmarshal([]byte(value), &pairs) != nil {
			return nil, false, invalid("an object of strings")
		}
		raw, err := json.Marshal(pairs)
		return string(raw), true, err
	default:
		return value, true, nil
	}
}
