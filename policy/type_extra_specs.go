package policy

// Extra specs of volume types.
var _ = register(
	Default{Name: "volume_extension:types_extra_specs:index", Check: reader, Was: anyone,
		Description: "List a type's extra specs."},
	Default{Name: "volume_extension:types_extra_specs:show", Check: reader, Was: anyone,
		Description: "Show one of a type's extra specs."},
	Default{Name: "volume_extension:types_extra_specs:read_sensitive", Check: adminAPI,
		Description: "See also the extra specs that tell about the storage behind."},
	Default{Name: "volume_extension:types_extra_specs:create", Check: adminAPI,
		Description: "Add extra specs to a type."},
	Default{Name: "volume_extension:types_extra_specs:update", Check: adminAPI,
		Description: "Change an extra spec."},
	Default{Name: "volume_extension:types_extra_specs:delete", Check: adminAPI,
		Description: "Delete an extra spec."},
)
