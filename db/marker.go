package db

import (
	"fmt"
	"strings"
)

// builder collects a statement's arguments and numbers them.
type builder struct{ args []any }

func (b *builder) arg(v any) string {
	b.args = append(b.args, v)
	return fmt.Sprintf("$%d", len(b.args))
}

// where joins the table's own condition with the query's.
func (b *builder) where(t table, conditions []Condition) string {
	parts := []string{t.live}
	for _, c := range conditions {
		parts = append(parts, b.fill(c))
	}
	return strings.Join(parts, " AND ")
}

// fill replaces each ? of a condition by the next argument's number.
func (b *builder) fill(c Condition) string {
	var sql strings.Builder
	rest := c.sql
	for _, a := range c.args {
		before, after, _ := strings.Cut(rest, "?")
		sql.WriteString(before + b.arg(a))
		rest = after
	}
	sql.WriteString(rest)
	return sql.String()
}

// after is the keyset condition: rows that sort behind the marker's row. Where
// the keys run one way and cannot be NULL it is one comparison of rows, which
// an index answers; otherwise the comparison is spelled out key by key.
func (b *builder) after(t table, keys []key, q Query) string {
	marked := b.marked(t, q)
	value := func(k key) string { return fmt.Sprintf("(SELECT %s FROM %s)", k.column.sql, marked) }
	if uniform(keys) {
		return compareRows(keys, value)
	}
	// An unknown marker has no values, and beyond would let rows pass it.
	known := fmt.Sprintf("EXISTS (SELECT 1 FROM %s)", marked)
	var either []string
	for i, k := range keys {
		var all []string
		for _, equal := range keys[:i] {
			all = append(all, equal.column.sql+" IS NOT DISTINCT FROM "+value(equal))
		}
		either = append(either, "("+strings.Join(append(all, beyond(k, value(k))), " AND ")+")")
	}
	return known + " AND (" + strings.Join(either, " OR ") + ")"
}

// marked selects the marker's row, if it is of those whose rows are listed. It may
// have been deleted since, or meet the list's other conditions no more.
func (b *builder) marked(t table, q Query) string {
	sql := fmt.Sprintf("%s WHERE %s.id = %s", t.from, t.alias(), b.arg(q.Marker))
	for _, c := range q.Where {
		if c.whose {
			sql += " AND " + b.fill(c)
		}
	}
	return sql
}

func uniform(keys []key) bool {
	for _, k := range keys {
		if k.column.null || k.desc != keys[0].desc {
			return false
		}
	}
	return true
}

func compareRows(keys []key, value func(key) string) string {
	columns, values := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		columns[i], values[i] = k.column.sql, value(k)
	}
	operator := ">"
	if keys[0].desc {
		operator = "<"
	}
	return fmt.Sprintf("(%s) %s (%s)", strings.Join(columns, ", "), operator, strings.Join(values, ", "))
}

// beyond compares one column with the marker's value, NULL being the lowest.
func beyond(k key, value string) string {
	c := k.column.sql
	if k.desc {
		return fmt.Sprintf("(%s < %s OR (%s IS NULL AND %s IS NOT NULL))", c, value, c, value)
	}
	return fmt.Sprintf("(%s > %s OR (%s IS NOT NULL AND %s IS NULL))", c, value, c, value)
}
