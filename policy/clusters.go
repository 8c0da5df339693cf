package policy

// Clusters, and the clean-up after a service.
var _ = register(
	Default{Name: "clusters:get_all", Check: adminAPI,
		Description: "List clusters."},
	Default{Name: "clusters:get", Check: adminAPI,
		Description: "Show a cluster."},
	Default{Name: "clusters:update", Check: adminAPI,
		Description: "Enable or disable a cluster."},
	Default{Name: "workers:cleanup", Check: adminAPI,
		Description: "Have the work of a dead service cleaned up."},
)
