package policy

// Quotas.
var _ = register(
	Default{Name: "volume_extension:quotas:show", Check: reader, Was: owner,
		Description: "Show a project's quota."},
	Default{Name: "volume_extension:quotas:update", Check: adminAPI,
		Description: "Change a project's quota."},
	Default{Name: "volume_extension:quotas:delete", Check: adminAPI,
		Description: "Give a project the default quota again."},
	Default{Name: "volume_extension:quota_classes:get", Check: adminAPI, Old: "volume_extension:quota_classes",
		Description: "Show a quota class."},
	Default{Name: "volume_extension:quota_classes:update", Check: adminAPI, Old: "volume_extension:quota_classes",
		Description: "Change a quota class."},
)
