package policy

// Snapshots.
var _ = register(
	Default{Name: "volume:get_all_snapshots", Check: reader, Was: owner,
		Description: "List snapshots."},
	Default{Name: "volume:get_snapshot", Check: reader, Was: owner,
		Description: "Show a snapshot; asked before any action on it."},
	Default{Name: "volume:create_snapshot", Check: member, Was: owner,
		Description: "Take a snapshot."},
	Default{Name: "volume:update_snapshot", Check: member, Was: owner,
		Description: "Change a snapshot's name or description."},
	Default{Name: "volume:delete_snapshot", Check: member, Was: owner,
		Description: "Delete a snapshot."},
	Default{Name: "volume_extension:extended_snapshot_attributes", Check: reader, Was: owner,
		Description: "See a snapshot's project and progress."},
)
