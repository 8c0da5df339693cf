package policy

// Encryption of volume types.
var _ = register(
	Default{Name: "volume_extension:volume_type_encryption", Check: adminAPI,
		Description: "What the four rules below asked before each had its own check."},
	Default{Name: "volume_extension:volume_type_encryption:get", Check: adminAPI, Was: "rule:volume_extension:volume_type_encryption",
		Description: "Show how volumes of a type are encrypted."},
	Default{Name: "volume_extension:volume_type_encryption:create", Check: adminAPI, Was: "rule:volume_extension:volume_type_encryption",
		Description: "Have volumes of a type encrypted."},
	Default{Name: "volume_extension:volume_type_encryption:update", Check: adminAPI, Was: "rule:volume_extension:volume_type_encryption",
		Description: "Change how volumes of a type are encrypted."},
	Default{Name: "volume_extension:volume_type_encryption:delete", Check: adminAPI, Was: "rule:volume_extension:volume_type_encryption",
		Description: "Have volumes of a type no longer encrypted."},
)
