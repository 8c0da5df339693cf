package policy

// QoS specs.
var _ = register(
	Default{Name: "volume_extension:qos_specs_manage:get_all", Check: adminAPI,
		Description: "List QoS specs, or the types that have them."},
	Default{Name: "volume_extension:qos_specs_manage:get", Check: adminAPI,
		Description: "Show QoS specs."},
	Default{Name: "volume_extension:qos_specs_manage:create", Check: adminAPI,
		Description: "Create QoS specs."},
	Default{Name: "volume_extension:qos_specs_manage:update", Check: adminAPI,
		Description: "Change QoS specs, or the types that have them."},
	Default{Name: "volume_extension:qos_specs_manage:delete", Check: adminAPI,
		Description: "Delete QoS specs, or keys of them."},
)
