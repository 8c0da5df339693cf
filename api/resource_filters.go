package api

import (
	"maps"
	"net/http"
	"slices"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "resource_filters.list", Method: "GET", Path: "/resource_filters", Since: 33,
			Status: http.StatusOK, Handler: s.listFilters}}
	})
}

// listFilters tells by what tenants may filter lists; of one resource with
// ?resource=, of none when that is unknown.
func (s *Server) listFilters(c *Call) (View, error) {
	names := slices.Sorted(maps.Keys(s.Filters))
	if one := c.Query.Get("resource"); one != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name != one })
	}
	return func(o object) {
		objects(o, "resource_filters", names, func(o object, name string) {
			o.str("resource", name)
			o.list("filters", s.Filters[name])
		})
	}, nil
}
