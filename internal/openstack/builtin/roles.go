package builtin

// roles are those that policies know by default and those that users.yaml names.
var roles = collection{
	plural: "roles", singular: "role",
	entries: func(_ *Service, d *directory) []entry {
		entries := make([]entry, 0, len(d.roles))
		for _, name := range d.roles {
			id := deriveID("role", name)
			entries = append(entries, entry{
				id:     id,
				fields: map[string]string{"name": name},
				view: view{"id": id, "name": name, "domain_id": nil, "description": nil,
					"options": struct{}{}},
			})
		}
		return entries
	},
}
