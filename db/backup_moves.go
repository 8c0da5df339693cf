package db

// The machine of a backup's status, after Cinder's. As with
// volumes, every status of a work that is under way has a job, or the
// reconciler gives it one.
var (
	// BackupCreateDone: the store has it, or its record was found to be true.
	BackupCreateDone = Move{"finish creating", []string{BackupCreating}, BackupAvailable}
	// BackupCreateFailed: no node can make it, or one said no.
	BackupCreateFailed = Move{"fail creating", []string{BackupCreating}, BackupError}
	// BackupCreateWait: something is in the way for the moment; a further try
	// follows, as an operation of its own.
	BackupCreateWait = Move{"wait for its volume", []string{BackupCreating}, Same}

	// BackupDeleteBegin is the user's.
	BackupDeleteBegin = Move{"delete", []string{BackupAvailable, BackupError}, BackupDeleting}
	// BackupForceDelete is the administrator's, from any status.
	BackupForceDelete = Move{"force delete", nil, BackupDeleting}
	// BackupDeleteDone: the store has it no more. The row stays, out of every list.
	BackupDeleteDone = Move{"finish deleting", []string{BackupDeleting}, "deleted"}
	// BackupDeleteFailed: the node said no.
	BackupDeleteFailed = Move{"fail deleting", []string{BackupDeleting}, BackupError}
	// BackupDeleteSilent: no node that reaches its store answers.
	BackupDeleteSilent = Move{"fail deleting", []string{BackupDeleting}, BackupErrorDeleting}
	// BackupDeleteResume: one is back.
	BackupDeleteResume = Move{"go on deleting", []string{BackupErrorDeleting}, BackupDeleting}

	// BackupRestoreBegin: a volume is made as it is.
	BackupRestoreBegin = Move{"restore", []string{BackupAvailable}, BackupRestoring}
	// BackupRestoreEnd: it is as it was, however that ended.
	BackupRestoreEnd = Move{"end restoring", []string{BackupRestoring}, BackupAvailable}

	// BackupJobLost: in a moving status without a job, it gets one.
	BackupJobLost = Move{"begin again, for its job was lost", []string{BackupCreating, BackupRestoring, BackupDeleting}, Same}
	// BackupOutdated: a node has remains of it, which the raised generation lets
	// be taken away.
	BackupOutdated = Move{"clear away remains", nil, Same}
)

// The moves of a volume, or snapshot, that is backed up or restored to.
var (
	// BackUpBegin: nobody else may change the volume meanwhile. Attached or not,
	// that its attachments tell; so what Cinder keeps as previous_status is
	// derived again at the end (ADR 2).
	BackUpBegin = Move{"back up", []string{"available", "in-use"}, "backing-up"}
	// BackUpEnd: it is as it was, however that ended.
	BackUpEnd = Move{"end backing up", []string{"backing-up"}, Settled}

	// SnapshotBackUpBegin is the same for a snapshot.
	SnapshotBackUpBegin = Move{"back up", []string{SnapshotAvailable}, "backing-up"}
	// SnapshotBackUpEnd is the same for a snapshot.
	SnapshotBackUpEnd = Move{"end backing up", []string{"backing-up"}, SnapshotAvailable}

	// RestoreBegin: the volume is written over.
	RestoreBegin = Move{"restore a backup", []string{"available"}, "restoring-backup"}
	// RestoreDone: the volume is as the backup has it.
	RestoreDone = Move{"finish restoring", []string{"restoring-backup"}, Settled}
	// RestoreWait: something on the node still holds the device; a further try
	// follows.
	RestoreWait = Move{"wait for its users", []string{"restoring-backup"}, Same}
	// RestoreFailed: the volume may be partly as it was and partly as the backup is.
	RestoreFailed = Move{"fail restoring", []string{"restoring-backup"}, "error_restoring"}
	// RestoreGivenUp: it was cancelled before anybody had begun with it.
	RestoreGivenUp = Move{"give up restoring", []string{"restoring-backup"}, Settled}
	// RestoreResume: the node that did not answer is back.
	RestoreResume = Move{"go on restoring", []string{"error_restoring"}, "restoring-backup"}
)
