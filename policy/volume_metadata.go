package policy

// Metadata of volumes.
var _ = register(
	Default{Name: "volume:get_volume_metadata", Check: reader, Was: owner,
		Description: "Show a volume's metadata."},
	Default{Name: "volume:create_volume_metadata", Check: member, Was: owner,
		Description: "Add to a volume's metadata."},
	Default{Name: "volume:update_volume_metadata", Check: member, Was: owner,
		Description: "Replace a volume's metadata, or one value of it."},
	Default{Name: "volume:delete_volume_metadata", Check: member, Was: owner,
		Description: "Delete a key of a volume's metadata."},
	Default{Name: "volume_extension:volume_image_metadata:show", Check: reader, Old: "volume_extension:volume_image_metadata", Was: owner,
		Description: "See what is known of the image a volume was made from."},
	Default{Name: "volume_extension:volume_image_metadata:set", Check: member, Old: "volume_extension:volume_image_metadata", Was: owner,
		Description: "Change what is known of that image."},
	Default{Name: "volume_extension:volume_image_metadata:remove", Check: member, Old: "volume_extension:volume_image_metadata", Was: owner,
		Description: "Delete a part of it."},
	Default{Name: "volume:update_volume_admin_metadata", Check: adminAPI,
		Description: "Change the metadata only Cinder itself writes; asked of an elevated caller."},
)
