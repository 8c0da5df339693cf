package policy

// Limits.
var _ = register(
	Default{Name: "limits_extension:used_limits", Check: reader, Was: owner,
		Description: "See how much of each limit is used."},
)
