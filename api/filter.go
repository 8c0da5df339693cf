package api

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"clinker/db"
	"clinker/internal/fault"
)

// Filters says by which fields tenants may filter each resource's lists: the
// content of resource_query_filters_file.
type Filters map[string][]string

// defaultFilters is the set that Cinder ships.
func defaultFilters() Filters {
	return Filters{
		"volume": {"name", "status", "metadata", "bootable", "migration_status", "availability_zone",
			"group_id", "size", "created_at", "updated_at", "consumes_quota"},
		"backup":         {"name", "status", "volume_id"},
		"snapshot":       {"name", "status", "volume_id", "metadata", "availability_zone", "consumes_quota"},
		"group":          {"name"},
		"group_snapshot": {"name", "status", "group_id"},
		"attachment":     {"volume_id", "status", "instance_id", "attach_status"},
		"message":        {"resource_uuid", "resource_type", "event_id", "request_id", "message_level"},
		"pool":           {"name", "volume_type"},
		"volume_type":    {"is_public", "extra_specs"},
	}
}

// filterSpec tells how one resource's list is filtered.
type filterSpec struct {
	resource string            // its name in Filters
	rename   map[string]string // API names to the table's
	equal    func(name, value string) (db.Condition, bool, error)
	like     func(name, value string) (db.Condition, bool)
	// of limits a list to the rows of one project; nil for what projects do not own.
	// An administrator who lists them all may filter by one, as project_id.
	of    func(project string) db.Condition
	every *db.Condition // of lists that are not limited to a project

	// since are filters that are ignored before a microversion.
	since map[string]Version
	// special are filters with rules of their own.
	special map[string]func(c *Call, value string) ([]db.Condition, error)
	// skip are query keys that are no filters, beside those of paging.
	skip []string
	// always are filters that everybody may use, configured or not.
	always []string
	// refusing is the microversion from which filters that are not configured
	// are refused; 0 stands for 3.31, when most lists began to.
	refusing Version
}

// filters turns the query into conditions (filters.tsv, common): of tenants
// only the configured names are taken, others dropped before 3.31 and refused
// from then on; an administrator may name any column.
func (c *Call) filters(spec filterSpec) ([]db.Condition, error) {
	var all []db.Condition
	var refused []string
	for name, values := range c.Query {
		if slices.Contains(pageParameters, name) || slices.Contains(spec.skip, name) {
			continue
		}
		if !c.mayFilter(spec.resource, name) && !slices.Contains(spec.always, name) {
			refused = append(refused, name)
			continue
		}
		for _, value := range values {
			conditions, err := c.filter(spec, name, value)
			if err != nil {
				return nil, err
			}
			all = append(all, conditions...)
		}
	}
	if len(refused) > 0 && c.Since(max(spec.refusing, 31)) {
		slices.Sort(refused)
		return nil, fault.New(fault.Invalid, "Invalid filters %s are found in query options.", strings.Join(refused, ","))
	}
	return all, nil
}

// checkText refuses a query or path with what no text column can hold.
func (c *Call) checkText() error {
	bad := func(text string) bool { return !utf8.ValidString(text) || strings.Contains(text, "\x00") }
	for name, values := range c.Query {
		if bad(name) || slices.ContainsFunc(values, bad) {
			return fault.New(fault.Invalid, "Malformed request url: the query must be UTF-8 without the character U+0000")
		}
	}
	for _, value := range c.params {
		if bad(value) {
			return fault.New(fault.Invalid, "Malformed request url: the path must be UTF-8 without the character U+0000")
		}
	}
	return nil
}

// mayFilter tells whether this caller may filter by the name. A configured
// name~ allows both forms.
func (c *Call) mayFilter(resource, name string) bool {
	if c.Identity.IsAdmin {
		return true
	}
	configured := c.server.Filters[resource]
	return slices.Contains(configured, name) || slices.Contains(configured, name+"~")
}

func (c *Call) filter(spec filterSpec, name, value string) ([]db.Condition, error) {
	if c.Version < spec.since[name] {
		return nil, nil
	}
	if special, ok := spec.special[name]; ok {
		return special(c, value)
	}
	if name == "project_id" && spec.of != nil {
		if all, err := c.allProjects(); err != nil || !all {
			return nil, err
		}
		return []db.Condition{spec.of(value)}, nil
	}
	if plain, inexact := strings.CutSuffix(name, "~"); inexact && c.Since(34) && spec.like != nil {
		condition, _ := spec.like(renamed(spec.rename, plain), value)
		return []db.Condition{condition}, nil
	}
	condition, _, err := spec.equal(renamed(spec.rename, name), value)
	return []db.Condition{condition}, err
}

func renamed(rename map[string]string, name string) string {
	if to, ok := rename[name]; ok {
		return to
	}
	return name
}

// booleans are the texts that Cinder takes for a boolean.
var booleans = map[string]bool{
	"1": true, "t": true, "true": true, "on": true, "y": true, "yes": true,
	"0": false, "f": false, "false": false, "off": false, "n": false, "no": false,
}

// boolean reads a query value strictly; fallback where it is not given.
func (c *Call) boolean(name string, fallback bool) (bool, error) {
	if !c.Query.Has(name) {
		return fallback, nil
	}
	value, known := booleans[strings.ToLower(strings.TrimSpace(c.Query.Get(name)))]
	if !known {
		return false, fault.New(fault.Invalid, "Value '%s' for '%s' is not a boolean.", c.Query.Get(name), name)
	}
	return value, nil
}

// allProjects tells whether an administrator asked for every project's rows.
// all_tenants of anybody else is ignored.
func (c *Call) allProjects() (bool, error) {
	if !c.Identity.IsAdmin || !c.Query.Has("all_tenants") {
		return false, nil
	}
	if c.Query.Get("all_tenants") == "" {
		return true, nil
	}
	return c.boolean("all_tenants", false)
}

// strictBool is a filter by a boolean column.
func strictBool(column string, equal func(name, value string) (db.Condition, bool, error)) func(*Call, string) ([]db.Condition, error) {
	return func(c *Call, value string) ([]db.Condition, error) {
		b, known := booleans[strings.ToLower(strings.TrimSpace(value))]
		if !known {
			return nil, fault.New(fault.Invalid, "%s=%s is not a boolean.", column, value)
		}
		condition, _, err := equal(column, fmt.Sprint(b))
		return []db.Condition{condition}, err
	}
}

// dictFilter is a filter by a map column, which has to hold all that is given.
func dictFilter(column string, has func(column string, pairs map[string]string) db.Condition) func(*Call, string) ([]db.Condition, error) {
	return func(_ *Call, value string) ([]db.Condition, error) {
		pairs, err := dict(column, value)
		if err != nil {
			return nil, err
		}
		return []db.Condition{has(column, pairs)}, nil
	}
}
