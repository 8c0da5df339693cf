package builtin

// services, endpoints and regions are the catalog taken apart, for
// administrators.
var services = collection{
	plural: "services", singular: "service",
	entries: func(s *Service, _ *directory) []entry {
		var entries []entry
		for _, svc := range s.catalog {
			entries = append(entries, entry{
				id:     svc.id,
				fields: map[string]string{"name": svc.name, "type": svc.kind},
				view: view{"id": svc.id, "name": svc.name, "type": svc.kind,
					"enabled": true, "description": ""},
			})
		}
		return entries
	},
}

var endpoints = collection{
	plural: "endpoints", singular: "endpoint",
	entries: func(s *Service, _ *directory) []entry {
		var entries []entry
		for _, svc := range s.catalog {
			for _, e := range svc.endpoints(svc.url) {
				entries = append(entries, entry{
					id: e.ID,
					fields: map[string]string{"interface": e.Interface, "service_id": svc.id,
						"region_id": e.RegionID},
					view: view{"id": e.ID, "interface": e.Interface, "service_id": svc.id,
						"region": e.Region, "region_id": e.RegionID, "url": e.URL, "enabled": true},
				})
			}
		}
		return entries
	},
}

var regions = collection{
	plural: "regions", singular: "region",
	entries: func(s *Service, _ *directory) []entry {
		return []entry{{
			id:   s.cfg.Region,
			view: view{"id": s.cfg.Region, "description": "", "parent_region_id": nil},
		}}
	},
}
