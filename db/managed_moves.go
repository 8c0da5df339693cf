package db

// SnapshotManaging is the status of a snapshot that is being managed, which users
// see as creating; SnapshotUnmanaging of one that is let go.
const (
	SnapshotManaging   = "managing"
	SnapshotUnmanaging = "unmanaging"
)

// The moves of volumes and snapshots that Clinker did not make, or lets go.
var (
	// ManageSized: its node has told how large it is.
	ManageSized = Move{"learn its size", []string{"managing"}, Same}
	// ManageDone: the node has given it its name.
	ManageDone = Move{"finish managing", []string{"managing"}, "available"}
	// ManageFailed: it cannot be managed, and is as it was.
	ManageFailed = Move{"fail managing", []string{"managing"}, "error_managing"}
	// ManageResume: the node that did not answer is back.
	ManageResume = Move{"go on managing", []string{"error_managing"}, "managing"}

	// UnmanageBegin: see errors.tsv, volume_actions.unmanage, for what else must hold.
	UnmanageBegin = Move{"unmanage", []string{"available", "error", "error_restoring", "error_extending", "error_managing"}, "unmanaging"}
	// UnmanageDone: the node has forgotten it. The row stays, out of every list.
	UnmanageDone = Move{"finish unmanaging", []string{"unmanaging"}, "deleted"}
	// UnmanageFailed: the node said no.
	UnmanageFailed = Move{"fail unmanaging", []string{"unmanaging"}, "error_unmanaging"}
	// UnmanageResume: the node that did not answer is back.
	UnmanageResume = Move{"go on unmanaging", []string{"error_unmanaging"}, "unmanaging"}
	// ManagedJobLost: in a moving status without a job, it gets one.
	ManagedJobLost = Move{"begin again, for its job was lost", []string{"managing", "unmanaging"}, Same}

	// SnapshotManageBegin follows its insertion.
	SnapshotManageBegin = Move{"manage", []string{SnapshotCreating}, SnapshotManaging}
	// SnapshotManageSized and those below are as a volume's.
	SnapshotManageSized    = Move{"learn its size", []string{SnapshotManaging}, Same}
	SnapshotManageDone     = Move{"finish managing", []string{SnapshotManaging}, SnapshotAvailable}
	SnapshotManageFailed   = Move{"fail managing", []string{SnapshotManaging}, SnapshotError}
	SnapshotManageResume   = Move{"go on managing", []string{SnapshotError}, SnapshotManaging}
	SnapshotUnmanageBegin  = Move{"unmanage", []string{SnapshotAvailable, SnapshotError}, SnapshotUnmanaging}
	SnapshotUnmanageDone   = Move{"finish unmanaging", []string{SnapshotUnmanaging}, "deleted"}
	SnapshotUnmanageFailed = Move{"fail unmanaging", []string{SnapshotUnmanaging}, SnapshotError}
	SnapshotUnmanageResume = Move{"go on unmanaging", []string{SnapshotError}, SnapshotUnmanaging}
	SnapshotManagedLost    = Move{"begin again, for its job was lost", []string{SnapshotManaging, SnapshotUnmanaging}, Same}
)
