package policy

// Snapshots of groups.
var _ = register(
	Default{Name: "group:get_all_group_snapshots", Check: reader, Was: owner,
		Description: "List group snapshots."},
	Default{Name: "group:get_group_snapshot", Check: reader, Was: owner,
		Description: "Show a group snapshot; asked before any action on it."},
	Default{Name: "group:group_snapshot_project_attribute", Check: adminAPI,
		Description: "See which project a group snapshot belongs to."},
	Default{Name: "group:create_group_snapshot", Check: member, Was: anyone,
		Description: "Take a snapshot of a group."},
	Default{Name: "group:update_group_snapshot", Check: member, Was: owner,
		Description: "Change a group snapshot's name or description."},
	Default{Name: "group:delete_group_snapshot", Check: member, Was: owner,
		Description: "Delete a group snapshot."},
	Default{Name: "group:reset_group_snapshot_status", Check: adminAPI,
		Description: "Set a group snapshot's status by hand."},
)
