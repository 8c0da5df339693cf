package policy

// Volumes.
var _ = register(
	Default{Name: "volume:create", Check: member, Was: anyone,
		Description: "Create a volume."},
	Default{Name: "volume:create_from_image", Check: member, Was: anyone,
		Description: "Create a volume with the content of an image."},
	Default{Name: "volume:get", Check: reader, Was: owner,
		Description: "Show a volume; asked before any action on it."},
	Default{Name: "volume:get_all", Check: reader, Was: owner,
		Description: "List or count volumes."},
	Default{Name: "volume:update", Check: member, Was: owner,
		Description: "Change a volume's name, description or bootable flag."},
	Default{Name: "volume:delete", Check: member, Was: owner,
		Description: "Delete a volume."},
	Default{Name: "volume:force_delete", Check: adminAPI,
		Description: "Delete a volume whatever its status (delete with force=true)."},
	Default{Name: "volume:multiattach", Check: member, Was: owner,
		Description: "Create a volume that may have several attachments."},
	Default{Name: "volume_extension:volume_host_attribute", Check: adminAPI,
		Description: "See which pool a volume is on."},
	Default{Name: "volume_extension:volume_tenant_attribute", Check: reader, Was: owner,
		Description: "See which project a volume belongs to."},
	Default{Name: "volume_extension:volume_mig_status_attribute", Check: adminAPI,
		Description: "See a volume's migration."},
	Default{Name: "volume_extension:volume_encryption_metadata", Check: reader, Was: owner,
		Description: "Show how a volume is encrypted."},
)
