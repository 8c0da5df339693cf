package policy

// Groups of volumes.
var _ = register(
	Default{Name: "group:get_all", Check: reader, Was: owner,
		Description: "List groups."},
	Default{Name: "group:get", Check: reader, Was: owner,
		Description: "Show a group; asked before any action on it."},
	Default{Name: "group:group_project_attribute", Check: adminAPI,
		Description: "See which project a group belongs to."},
	Default{Name: "group:create", Check: member, Was: anyone,
		Description: "Create a group."},
	Default{Name: "group:update", Check: member, Was: owner,
		Description: "Change a group or the volumes in it."},
	Default{Name: "group:delete", Check: member, Was: owner,
		Description: "Delete a group."},
	Default{Name: "group:reset_status", Check: adminAPI,
		Description: "Set a group's status by hand."},
	Default{Name: "group:enable_replication", Check: member, Was: owner,
		Description: "Start replicating a group."},
	Default{Name: "group:disable_replication", Check: member, Was: owner,
		Description: "Stop replicating a group."},
	Default{Name: "group:failover_replication", Check: member, Was: owner,
		Description: "Fail a group over to its replica."},
	Default{Name: "group:list_replication_targets", Check: member, Was: owner,
		Description: "List where a group could be failed over to."},
)
