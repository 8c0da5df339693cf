package policy

// Services.
var _ = register(
	Default{Name: "volume_extension:services:index", Check: adminAPI,
		Description: "List services."},
	Default{Name: "volume_extension:services:update", Check: adminAPI,
		Description: "Enable, disable or otherwise act on a service."},
	Default{Name: "volume:freeze_host", Check: adminAPI,
		Description: "Freeze a backend."},
	Default{Name: "volume:thaw_host", Check: adminAPI,
		Description: "Thaw a backend."},
	Default{Name: "volume:failover_host", Check: adminAPI,
		Description: "Fail a backend over to its replica."},
)
