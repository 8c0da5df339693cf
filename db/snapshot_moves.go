package db

// The machine of a snapshot's status, after Cinder's. As with
// volumes, every status of a work that is under way has a job, or the
// reconciler gives it one.
var (
	// SnapshotCreateDone: the node has it.
	SnapshotCreateDone = Move{"finish creating", []string{SnapshotCreating}, SnapshotAvailable}
	// SnapshotCreateFailed: its pool has no room, or the node said no.
	SnapshotCreateFailed = Move{"fail creating", []string{SnapshotCreating}, SnapshotError}
	// SnapshotCreateWait: the volume is being written to in a way that its node
	// cannot copy; a further try follows, as an operation of its own.
	SnapshotCreateWait = Move{"wait for its volume", []string{SnapshotCreating}, Same}

	// SnapshotDeleteBegin is the user's.
	SnapshotDeleteBegin = Move{"delete", []string{SnapshotAvailable, SnapshotError}, SnapshotDeleting}
	// SnapshotCascade is of a volume that is deleted with its snapshots.
	SnapshotCascade = Move{"delete with its volume", []string{SnapshotAvailable, SnapshotError, SnapshotDeleting}, SnapshotDeleting}
	// SnapshotForceDelete is the administrator's, from any status.
	SnapshotForceDelete = Move{"force delete", nil, SnapshotDeleting}
	// SnapshotDeleteDone: the node has it no more. The row stays, out of every list.
	SnapshotDeleteDone = Move{"finish deleting", []string{SnapshotDeleting}, "deleted"}
	// SnapshotDeleteFailed: the node said no for a reason that waiting does not mend.
	SnapshotDeleteFailed = Move{"fail deleting", []string{SnapshotDeleting}, SnapshotErrorDeleting}
	// SnapshotDeleteWait: something on the node holds it; a further try follows.
	SnapshotDeleteWait = Move{"wait for its users", []string{SnapshotDeleting}, Same}
	// SnapshotDeleteBusy: it is still held, and stays.
	SnapshotDeleteBusy = Move{"delete", []string{SnapshotDeleting}, SnapshotAvailable}
	// SnapshotDeleteResume: the node that did not answer is back.
	SnapshotDeleteResume = Move{"go on deleting", []string{SnapshotErrorDeleting}, SnapshotDeleting}

	// SnapshotRestoreBegin: its volume is put back to it.
	SnapshotRestoreBegin = Move{"revert its volume", []string{SnapshotAvailable}, SnapshotRestoring}
	// SnapshotRestoreEnd: it is as it was, however that ended.
	SnapshotRestoreEnd = Move{"end reverting its volume", []string{SnapshotRestoring}, SnapshotAvailable}

	// SnapshotJobLost: in a moving status without a job, it gets one.
	SnapshotJobLost = Move{"begin again, for its job was lost", []string{SnapshotCreating, SnapshotDeleting}, Same}
	// SnapshotOutdated: a node has remains of it, which the raised generation
	// lets be taken away.
	SnapshotOutdated = Move{"clear away remains", nil, Same}

	// SnapshotReported is what Nova says of a snapshot that it takes itself
	// (os-update_snapshot_status).
	SnapshotReported = func(from, to string) Move { return Move{"report its status", []string{from}, to} }
)

// The moves of a volume that is put back to a snapshot.
var (
	// RevertBegin: nobody may use the volume meanwhile.
	RevertBegin = Move{"revert", []string{"available"}, "reverting"}
	// RevertDone: the volume is as the snapshot kept it.
	RevertDone = Move{"finish reverting", []string{"reverting"}, Settled}
	// RevertWait: something on the node still holds the device; a further try
	// follows.
	RevertWait = Move{"wait for its users", []string{"reverting"}, Same}
	// RevertFailed: the volume may be partly as it was and partly as the
	// snapshot is.
	RevertFailed = Move{"fail reverting", []string{"reverting"}, "error"}
	// RevertResume: the node that did not answer is back.
	RevertResume = Move{"go on reverting", []string{"error"}, "reverting"}
	// RevertLost: a volume that is being reverted had no job, and gets one.
	RevertLost = Move{"begin again, for its job was lost", []string{"reverting"}, Same}
)
