package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// names replaces what is another at each run by something of the same width, so
// that tables keep their form, and numbers ids, so that one is told from another.
type names struct {
	given map[string]string
}

func newNames() *names { return &names{map[string]string{}} }

var (
	uuids    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	hexes    = regexp.MustCompile(`\b[a-z]?[0-9a-f]{32}\b`)
	keys     = regexp.MustCompile(`\b[0-9a-f]{16}\b`)
	times    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}`)
	requests = regexp.MustCompile(`req-` + uuids.String())
	portals  = regexp.MustCompile(`127\.0\.0\.1:\d{5}`)
)

func (n *names) replace(said string) string {
	said = requests.ReplaceAllString(said, "req-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
	said = times.ReplaceAllString(said, "2026-01-02T03:04:05.678901")
	said = portals.ReplaceAllString(said, "127.0.0.1:13260")
	said = uuids.ReplaceAllStringFunc(said, func(id string) string {
		if strings.HasPrefix(id, "11111111-") {
			return id // typed by the user
		}
		return n.name(id, "%08d-0000-0000-0000-000000000000")
	})
	said = keys.ReplaceAllStringFunc(said, func(key string) string { return n.name(key, "%0*d") })
	return hexes.ReplaceAllStringFunc(said, func(id string) string { return n.name(id, "%0*d") })
}

func (n *names) name(id, form string) string {
	if n.given[id] == "" {
		args := []any{len(n.given) + 1}
		if strings.Contains(form, "*") {
			args = []any{len(id), len(n.given) + 1}
		}
		n.given[id] = fmt.Sprintf(form, args...)
	}
	return n.given[id]
}

var rowWithID = regexp.MustCompile(`^\| ` + uuids.String() + ` `)

// ordered puts the rows of a table that begin with an id in the order of what
// stands behind it and is no id. The cinder client orders them by the id, which is another at
// each run.
func ordered(said string) string {
	lines := strings.SplitAfter(said, "\n")
	for i := 0; i < len(lines); i++ {
		first := i
		for i < len(lines) && rowWithID.MatchString(lines[i]) {
			i++
		}
		slices.SortStableFunc(lines[first:i], func(a, b string) int {
			return strings.Compare(uuids.ReplaceAllString(a, ""), uuids.ReplaceAllString(b, ""))
		})
	}
	return strings.Join(lines, "")
}

// begins are commands whose answer is of something that is being made.
var begins = regexp.MustCompile(`(create|manage)\b`)

// creates are those whose answer is of what has no place yet.
var creates = regexp.MustCompile(`^(cinder|openstack volume) create\b`)

// moments are the rows that tell how far it is.
var moments = regexp.MustCompile(`(?m)^(\| (status|Status|updated_at|os-extended-snapshot-attributes:progress) +\| )(creating|downloading|available|error|None|\d\S*)( +\|)$`)

// early puts what is being made back to its beginning, for some clients look
// again before they print it.
func early(said string) string {
	beginning := map[string]string{"status": "creating", "Status": "creating", "updated_at": "None"}
	return moments.ReplaceAllStringFunc(said, func(row string) string {
		m := moments.FindStringSubmatch(row)
		value, known := beginning[m[2]]
		if !known {
			value = "0%"
		}
		return m[1] + cell(m[3]+m[4], value)
	})
}

// places are the rows that tell where it is.
var places = regexp.MustCompile(`(?m)^(\| (?:os-vol-host-attr:host|service_uuid) +\| )(.*\|)$`)

// unplaced is early for what has no place at its beginning, as a volume that is
// created has none.
func unplaced(said string) string {
	return places.ReplaceAllStringFunc(said, func(row string) string {
		m := places.FindStringSubmatch(row)
		return m[1] + cell(m[2], "None")
	})
}

// cell puts another value into the last cell of a row.
func cell(was, value string) string { return fmt.Sprintf("%-*s|", len(was)-1, value) }
