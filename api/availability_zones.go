package api

import (
	"net/http"

	"clinker/db"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "availability_zones.list", Method: "GET", Path: "/os-availability-zone",
			Status: http.StatusOK, Handler: s.listZones}}
	})
}

// listZones lists the zones of all backends; available are those in which one
// is enabled.
func (s *Server) listZones(c *Call) (View, error) {
	zones, err := c.database().Zones(c.Context())
	return func(o object) {
		objects(o, "availabilityZoneInfo", zones, func(o object, z db.Zone) {
			o.str("zoneName", z.Name)
			o.object("zoneState", func(o object) { o.bool("available", z.Available) })
		})
	}, err
}
