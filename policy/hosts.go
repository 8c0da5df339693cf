package policy

// Hosts.
var _ = register(
	Default{Name: "volume_extension:hosts", Check: adminAPI,
		Description: "List, show or update hosts."},
)
