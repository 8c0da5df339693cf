package policy

// Backups.
var _ = register(
	Default{Name: "backup:get_all", Check: reader, Was: owner,
		Description: "List backups."},
	Default{Name: "backup:get", Check: reader, Was: owner,
		Description: "Show a backup; asked before any action on it."},
	Default{Name: "backup:backup_project_attribute", Check: adminAPI,
		Description: "See which project a backup belongs to."},
	Default{Name: "backup:create", Check: member, Was: anyone,
		Description: "Back a volume up."},
	Default{Name: "backup:update", Check: member, Was: owner,
		Description: "Change a backup's name or description."},
	Default{Name: "backup:delete", Check: member, Was: owner,
		Description: "Delete a backup."},
	Default{Name: "backup:restore", Check: member, Was: owner,
		Description: "Put a backup onto a volume."},
	Default{Name: "backup:backup-import", Check: adminAPI,
		Description: "Make known a backup of another cloud."},
	Default{Name: "backup:export-import", Check: adminAPI,
		Description: "Write down a backup for another cloud."},
	Default{Name: "volume_extension:backup_admin_actions:reset_status", Check: adminAPI,
		Description: "Set a backup's status by hand."},
	Default{Name: "volume_extension:backup_admin_actions:force_delete", Check: adminAPI,
		Description: "Delete a backup whatever its status."},
)
