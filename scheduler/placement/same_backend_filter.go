package placement

import (
	"slices"
	"strings"
)

// SameBackendFilter serves the hint same_host: only pools that hold at least
// one of the volumes named. As in Cinder "host" is host@backend#pool.
func init() {
	filters["SameBackendFilter"] = func(r *Request) check {
		return func(p *Pool) string {
			if len(r.SameHost) == 0 || slices.Contains(r.SameHost, p.Name) {
				return ""
			}
			return "same_host asks for " + strings.Join(r.SameHost, ", ")
		}
	}
}
