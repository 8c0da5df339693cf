package policy

// Roles and projects: what the other rules are made of.
var _ = register(
	Default{Name: "context_is_admin", Check: "role:admin",
		Description: "What makes a caller an administrator, for whom is_admin:True holds."},
	Default{Name: "admin_api", Check: "is_admin:True or (role:admin and is_admin_project:True)",
		Description: "Administrators: the check of most operations on the whole cloud."},
	Default{Name: "xena_system_admin_or_project_reader", Check: "(role:admin) or (role:reader and project_id:%(project_id)s)",
		Description: "Readers in the project of the thing, and administrators."},
	Default{Name: "xena_system_admin_or_project_member", Check: "(role:admin) or (role:member and project_id:%(project_id)s)",
		Description: "Members in the project of the thing, and administrators."},
	Default{Name: "admin_or_owner", Check: "is_admin:True or (role:admin and is_admin_project:True) or project_id:%(project_id)s",
		Description: "Anybody in the project of the thing, and administrators: the check from before there were readers."},
	Default{Name: "system_or_domain_or_project_admin", Check: "(role:admin and system_scope:all) or (role:admin and domain_id:%(domain_id)s) or (role:admin and project_id:%(project_id)s)",
		Description: "Administrators of the cloud, of the domain or of the project of the thing."},
)
