package placement

import "slices"

// IgnoreAttemptedHostsFilter refuses pools that were tried for this volume
// already. It always applies.
func init() {
	filters["IgnoreAttemptedHostsFilter"] = func(r *Request) check {
		return func(p *Pool) string {
			if slices.Contains(r.Exclude, p.Name) {
				return "was tried for this volume already"
			}
			return ""
		}
	}
}
