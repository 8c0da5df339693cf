package api

import (
	"context"

	"clinker/db"
)

// listQuery reads the query of a list of what projects own: its page, its filters,
// and whose rows are wanted. sort maps the API's names of sort keys to the table's.
func (c *Call) listQuery(spec filterSpec, sort map[string]string) (db.Query, error) {
	q, err := c.page(sort)
	if err != nil {
		return q, err
	}
	if q.Where, err = c.filters(spec); err != nil {
		return q, err
	}
	return q, c.limitProjects(&q, spec)
}

// limitProjects limits a list to the caller's project, unless an administrator
// wants all of them.
func (c *Call) limitProjects(q *db.Query, spec filterSpec) error {
	all, err := c.allProjects()
	switch {
	case err != nil:
		return err
	case !all:
		q.Where = append(q.Where, spec.of(c.Identity.ProjectID))
	case spec.every != nil:
		q.Where = append(q.Where, *spec.every)
	}
	return nil
}

// countedQuery is listQuery for the lists that tell how many rows there are on all
// pages together when with_count asks for it, from 3.45 on.
func (c *Call) countedQuery(spec filterSpec, sort map[string]string) (q db.Query, withCount bool, err error) {
	if c.Since(45) {
		spec.skip = []string{"with_count"}
		if withCount, err = c.boolean("with_count", false); err != nil {
			return q, false, err
		}
	}
	q, err = c.listQuery(spec, sort)
	return q, withCount, err
}

// counted reads a page, when it is its turn, and the total if it is wanted: at
// most two statements. total writes it into the answer.
func counted[T any](c *Call, q db.Query, withCount bool, page func(context.Context, db.Query) ([]T, error), count func(context.Context, db.Query) (int, error)) (rows []T, total func(object), err error) {
	if err := c.takeTurn(q.Limit); err != nil {
		return nil, nil, err
	}
	if rows, err = page(c.Context(), q); err != nil || !withCount {
		return rows, func(object) {}, err
	}
	n, err := count(c.Context(), q)
	return rows, func(o object) { o.int("count", n) }, err
}

// sortedByName lets lists be sorted by name from a microversion on; before, the
// key is display_name.
func (c *Call) sortedByName(since Version) map[string]string {
	if !c.Since(since) {
		return nil
	}
	return map[string]string{"name": "display_name"}
}
