package db

// The jobs of snapshots; see job.go.

// SnapshotCreateArgs asks for the snapshot of a row in status creating.
type SnapshotCreateArgs struct {
	SnapshotID string `json:"snapshot_id"`
	Request    string `json:"request"`
}

// Kind is River's name of the job.
func (SnapshotCreateArgs) Kind() string { return "snapshot_create" }

// SnapshotDeleteArgs asks that a row in status deleting go away.
type SnapshotDeleteArgs struct {
	SnapshotID string `json:"snapshot_id"`
	Request    string `json:"request"`
}

// Kind is River's name of the job.
func (SnapshotDeleteArgs) Kind() string { return "snapshot_delete" }

// VolumeRevertArgs asks that a volume in status reverting be as its snapshot in
// status restoring.
type VolumeRevertArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeRevertArgs) Kind() string { return "volume_revert" }
