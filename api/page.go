package api

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

// pageParameters are the query keys that are no filters (filters.tsv, common).
var pageParameters = []string{"limit", "marker", "offset", "sort", "sort_key", "sort_dir", "all_tenants"}

// page reads limit, marker, offset and the sort keys. rename maps the API's
// names of keys to the table's.
func (c *Call) page(rename map[string]string) (db.Query, error) {
	q := db.Query{Limit: c.server.MaxLimit, Marker: c.Query.Get("marker")}
	var err error
	if c.Query.Has("limit") {
		limit, err := c.number("limit", math.MaxInt)
		if err != nil {
			return q, err
		}
		q.Limit = min(limit, c.server.MaxLimit)
	}
	if c.Query.Has("offset") {
		if q.Offset, err = c.number("offset", math.MaxInt32); err != nil {
			return q, err
		}
	}
	q.Sort, err = sortKeys(c.Query, rename)
	return q, err
}

// number reads a query value that must be a whole number from 0 to most.
func (c *Call) number(name string, most int) (int, error) {
	text := c.Query.Get(name)
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fault.New(fault.Invalid, "Invalid input received: %s must be an integer of 0 or more, but is '%s'.", name, text)
	}
	return n, nil
}

// sortKeys reads sort=key:dir,… or the older sort_key and sort_dir. created_at
// follows as the last key but the id, in the first key's direction.
func sortKeys(query url.Values, rename map[string]string) ([]db.Sort, error) {
	if query.Has("sort") && (query.Has("sort_key") || query.Has("sort_dir")) {
		return nil, fault.New(fault.Invalid, "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter.")
	}
	text := query.Get("sort")
	if !query.Has("sort") {
		text = query.Get("sort_key") + ":" + query.Get("sort_dir")
	}
	var sorts []db.Sort
	for part := range strings.SplitSeq(text, ",") {
		sort, err := sortKey(part, rename)
		if err != nil {
			return nil, err
		}
		sorts = append(sorts, sort)
	}
	if !slices.ContainsFunc(sorts, func(s db.Sort) bool { return s.Key == "created_at" }) {
		sorts = append(sorts, db.Sort{Key: "created_at", Desc: sorts[0].Desc})
	}
	return sorts, nil
}

func sortKey(part string, rename map[string]string) (db.Sort, error) {
	key, direction, _ := strings.Cut(part, ":")
	key, direction = strings.TrimSpace(key), strings.TrimSpace(direction)
	if key == "" {
		key = "created_at"
	}
	if renamed, ok := rename[key]; ok {
		key = renamed
	}
	switch direction {
	case "", "desc":
		return db.Sort{Key: key, Desc: true}, nil
	case "asc":
		return db.Sort{Key: key}, nil
	}
	return db.Sort{}, fault.New(fault.Invalid, "Unknown sort direction '%s', must be one of: asc, desc.", direction)
}
