package policy

// Group types.
var _ = register(
	Default{Name: "group:group_types:create", Check: adminAPI, Old: "group:group_types_manage",
		Description: "Create a group type."},
	Default{Name: "group:group_types:update", Check: adminAPI, Old: "group:group_types_manage",
		Description: "Change a group type."},
	Default{Name: "group:group_types:delete", Check: adminAPI, Old: "group:group_types_manage",
		Description: "Delete a group type."},
	Default{Name: "group:access_group_types_specs", Check: adminAPI,
		Description: "See group specs with a group type."},
	Default{Name: "group:group_types_specs:get", Check: adminAPI, Old: "group:group_types_specs",
		Description: "Show a group spec."},
	Default{Name: "group:group_types_specs:get_all", Check: adminAPI, Old: "group:group_types_specs",
		Description: "List a group type's specs."},
	Default{Name: "group:group_types_specs:create", Check: adminAPI, Old: "group:group_types_specs",
		Description: "Add group specs."},
	Default{Name: "group:group_types_specs:update", Check: adminAPI, Old: "group:group_types_specs",
		Description: "Change a group spec."},
	Default{Name: "group:group_types_specs:delete", Check: adminAPI, Old: "group:group_types_specs",
		Description: "Delete a group spec."},
)
