package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Decision is the outcome of one Place.
type Decision struct {
	Pools   int       // how many were considered
	Ranked  []Choice  // those that can serve, best first
	Refused []Refusal // the others
}

// Choice is a pool that can serve.
type Choice struct {
	Pool    Pool
	Score   float64  // the greater the better
	Reasons []string // one per weigher: figure and weight
}

// Refusal is a pool that cannot serve, and why. It names nodes: for the
// administrator's log only.
type Refusal struct {
	Pool   string // host@backend#pool
	Filter string
	Reason string
}

// Count is how many pools a filter refused.
type Count struct {
	Filter string
	Pools  int
}

// Counts sums the refusals up by filter, the greatest number first.
func (d Decision) Counts() []Count {
	var counts []Count
	for _, refusal := range d.Refused {
		i := slices.IndexFunc(counts, func(c Count) bool { return c.Filter == refusal.Filter })
		if i < 0 {
			i = len(counts)
			counts = append(counts, Count{Filter: refusal.Filter})
		}
		counts[i].Pools++
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Pools, a.Pools), cmp.Compare(a.Filter, b.Filter))
	})
	return counts
}

// UserMessage is the sentence for the user whose volume found no pool. It
// names filters and numbers, never nodes. It is "" when a pool can serve.
func (d Decision) UserMessage() string {
	if len(d.Ranked) > 0 {
		return ""
	}
	if d.Pools == 0 {
		return "No pool can hold the volume: no storage node has reported a pool."
	}
	var parts []string
	for i, count := range d.Counts() {
		part := fmt.Sprintf("%s refused %d", count.Filter, count.Pools)
		if i == 0 {
			part += fmt.Sprintf(" of %d %s", d.Pools, plural(d.Pools, "pool"))
		}
		parts = append(parts, part)
	}
	text := "No pool can hold the volume: " + strings.Join(parts, ", ") + "."
	if hint := hints[d.Refused[0].Filter]; hint != "" && len(parts) == 1 {
		text += " " + hint
	}
	return text
}

// LogLines gives the administrator one line per pool: the ranked ones with
// their weights, best first, then the refused ones with filter and reason.
func (d Decision) LogLines() []string {
	lines := make([]string, 0, len(d.Ranked)+len(d.Refused))
	for _, c := range d.Ranked {
		lines = append(lines, fmt.Sprintf("pool %s: score %.3f: %s", c.Pool.Name, c.Score, strings.Join(c.Reasons, ", ")))
	}
	for _, r := range d.Refused {
		lines = append(lines, fmt.Sprintf("pool %s: refused by %s: %s", r.Pool, r.Filter, r.Reason))
	}
	return lines
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
