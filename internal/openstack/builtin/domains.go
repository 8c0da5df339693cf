package builtin

// domains has one member, which everybody may see: clients turn its name into
// its id before anything else.
var domains = collection{
	plural: "domains", singular: "domain",
	entries: func(*Service, *directory) []entry {
		return []entry{{
			id:     domainID,
			fields: map[string]string{"name": DomainName, "enabled": "true"},
			view: view{"id": domainID, "name": DomainName, "description": "The default domain",
				"enabled": true, "tags": []string{}, "options": struct{}{}},
		}}
	},
	mayList: func(*session) bool { return true },
	mayShow: func(*session, string) bool { return true },
}
