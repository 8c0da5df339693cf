package placement

import "slices"

// DifferentBackendFilter serves the hint different_host: no pool that holds one
// of the volumes named. As in Cinder "host" is host@backend#pool.
func init() {
	filters["DifferentBackendFilter"] = func(r *Request) check {
		return func(p *Pool) string {
			if slices.Contains(r.DifferentHost, p.Name) {
				return "holds a volume that different_host names"
			}
			return ""
		}
	}
}
