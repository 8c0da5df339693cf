package policy

// Projects that may use a private volume type.
var _ = register(
	Default{Name: "volume_extension:volume_type_access", Check: member, Was: owner,
		Description: "See whether a type is public."},
	Default{Name: "volume_extension:volume_type_access:addProjectAccess", Check: adminAPI,
		Description: "Let a project use a private type."},
	Default{Name: "volume_extension:volume_type_access:removeProjectAccess", Check: adminAPI,
		Description: "No longer let a project use it."},
	Default{Name: "volume_extension:volume_type_access:get_all_for_type", Check: adminAPI,
		Description: "List the projects that may use a private type."},
)
