package placement

import (
	"fmt"
	"slices"
	"strings"
)

// AvailabilityZoneFilter refuses pools in zones that were not asked for.
func init() {
	filters["AvailabilityZoneFilter"] = func(r *Request) check {
		zones := r.AvailabilityZones
		return func(p *Pool) string {
			if len(zones) == 0 || slices.Contains(zones, p.AvailabilityZone) {
				return ""
			}
			return fmt.Sprintf("is in zone %q, not in %s", p.AvailabilityZone, strings.Join(zones, ", "))
		}
	}
}
