package policy

// What can be done to a snapshot.
var _ = register(
	Default{Name: "volume_extension:snapshot_admin_actions:reset_status", Check: adminAPI,
		Description: "Set a snapshot's status by hand."},
	Default{Name: "volume_extension:snapshot_admin_actions:force_delete", Check: adminAPI,
		Description: "Delete a snapshot whatever its status."},
	Default{Name: "snapshot_extension:snapshot_actions:update_snapshot_status", Check: member, Was: anyone,
		Description: "Report a snapshot's progress, as Nova does for file systems over a network."},
)
