package policy

// The default volume type of a project.
var _ = register(
	Default{Name: "volume_extension:default_get", Check: adminAPI, Was: "rule:system_or_domain_or_project_admin",
		Description: "Show a project's default type."},
	Default{Name: "volume_extension:default_get_all", Check: adminAPI, Was: "role:admin and system_scope:all",
		Description: "List every project's default type."},
	Default{Name: "volume_extension:default_set_or_update", Check: adminAPI, Was: "rule:system_or_domain_or_project_admin",
		Description: "Set a project's default type."},
	Default{Name: "volume_extension:default_unset", Check: adminAPI, Was: "rule:system_or_domain_or_project_admin",
		Description: "Let a project have no default type of its own."},
)
