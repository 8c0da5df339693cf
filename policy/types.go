package policy

// Volume types.
var _ = register(
	Default{Name: "volume_extension:type_get", Check: reader, Was: anyone,
		Description: "Show a volume type."},
	Default{Name: "volume_extension:type_get_all", Check: reader, Was: anyone,
		Description: "List volume types."},
	Default{Name: "volume_extension:type_create", Check: adminAPI, Old: "volume_extension:types_manage",
		Description: "Create a volume type."},
	Default{Name: "volume_extension:type_update", Check: adminAPI, Old: "volume_extension:types_manage",
		Description: "Change a volume type."},
	Default{Name: "volume_extension:type_delete", Check: adminAPI, Old: "volume_extension:types_manage",
		Description: "Delete a volume type."},
	Default{Name: "volume_extension:access_types_extra_specs", Check: reader, Was: adminAPI,
		Description: "See extra specs with a type."},
	Default{Name: "volume_extension:access_types_qos_specs_id", Check: adminAPI,
		Description: "See the QoS specs of a type."},
)
