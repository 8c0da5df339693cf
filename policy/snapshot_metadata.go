package policy

// Metadata of snapshots.
var _ = register(
	Default{Name: "volume:get_snapshot_metadata", Check: reader, Was: owner,
		Description: "Show a snapshot's metadata."},
	Default{Name: "volume:update_snapshot_metadata", Check: member, Was: owner,
		Description: "Change a snapshot's metadata."},
	Default{Name: "volume:delete_snapshot_metadata", Check: member, Was: owner,
		Description: "Delete a key of a snapshot's metadata."},
)
