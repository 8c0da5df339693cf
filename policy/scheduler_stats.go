package policy

// Pools.
var _ = register(
	Default{Name: "scheduler_extension:scheduler_stats:get_pools", Check: adminAPI,
		Description: "List the pools with their figures."},
)
