package policy

// Capabilities of backends.
var _ = register(
	Default{Name: "volume_extension:capabilities", Check: adminAPI,
		Description: "Show what a backend can do."},
)
