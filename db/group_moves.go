package db

// The machine of a group's status, after Cinder's. Adding and
// removing volumes changes rows only, so that a group is never left updating.
var (
	// GroupPlaced: it has its pool.
	GroupPlaced = Move{"finish creating", []string{GroupCreating}, GroupAvailable}
	// GroupCreateFailed: no pool would serve, or a copy failed; a user message says why.
	GroupCreateFailed = Move{"fail creating", []string{GroupCreating}, GroupError}
	// GroupUpdated: volumes came or went.
	GroupUpdated = Move{"change its volumes", []string{GroupAvailable}, Same}
	// GroupDeleteBegin is for a group without volumes.
	GroupDeleteBegin = Move{"delete", []string{GroupAvailable, GroupError}, GroupDeleting}
	// GroupDeleteWithVolumes is from any status.
	GroupDeleteWithVolumes = Move{"delete with its volumes", nil, GroupDeleting}
	// GroupDeleteDone: its volumes are gone. The row stays, out of every list.
	GroupDeleteDone = Move{"finish deleting", nil, "deleted"}
	// GroupDeleteFailed: a volume of it was not deleted.
	GroupDeleteFailed = Move{"fail deleting", []string{GroupDeleting}, GroupErrorDeleting}
	// GroupDeleteResume: the node that did not answer is back.
	GroupDeleteResume = Move{"go on deleting", []string{GroupErrorDeleting}, GroupDeleting}
	// GroupJobLost: in a moving status without a job, it gets one.
	GroupJobLost = Move{"begin again, for its job was lost", []string{GroupCreating, GroupDeleting}, Same}

	// VolumeJoins and VolumeLeaves are of a volume that comes to a group, or goes.
	VolumeJoins  = Move{"join a group", []string{"available", "in-use"}, Same}
	VolumeLeaves = Move{"leave its group", []string{"available", "in-use", "error", "error_deleting"}, Same}
	// VolumeGroupDelete is of a volume that is deleted with its group.
	VolumeGroupDelete = Move{"delete with its group", nil, "deleting"}
)

// ByAdministrator is what the history says of a status that an administrator has
// set. It is what they wanted: no job is begun for it.
const ByAdministrator = "reset by an administrator"
