package policy

// Storage that exists and is not yet, or no longer, Clinker's.
var _ = register(
	Default{Name: "volume_extension:list_manageable", Check: adminAPI,
		Description: "List what could become a volume."},
	Default{Name: "volume_extension:volume_manage", Check: adminAPI,
		Description: "Make a volume of something that exists."},
	Default{Name: "volume_extension:volume_unmanage", Check: adminAPI,
		Description: "Forget a volume and keep its data."},
	Default{Name: "snapshot_extension:list_manageable", Check: adminAPI,
		Description: "List what could become a snapshot."},
	Default{Name: "snapshot_extension:snapshot_manage", Check: adminAPI,
		Description: "Make a snapshot of something that exists."},
	Default{Name: "snapshot_extension:snapshot_unmanage", Check: adminAPI,
		Description: "Forget a snapshot and keep its data."},
)
