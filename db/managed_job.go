package db

// VolumeManageArgs asks that a row in status managing get what lies in a pool.
type VolumeManageArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeManageArgs) Kind() string { return "volume_manage" }

// VolumeUnmanageArgs asks that a volume in status unmanaging be let go.
type VolumeUnmanageArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeUnmanageArgs) Kind() string { return "volume_unmanage" }

// SnapshotManageArgs is VolumeManageArgs for a snapshot.
type SnapshotManageArgs struct {
	SnapshotID string `json:"snapshot_id"`
	Request    string `json:"request"`
}

// Kind is River's name of the job.
func (SnapshotManageArgs) Kind() string { return "snapshot_manage" }

// SnapshotUnmanageArgs is VolumeUnmanageArgs for a snapshot.
type SnapshotUnmanageArgs struct {
	SnapshotID string `json:"snapshot_id"`
	Request    string `json:"request"`
}

// Kind is River's name of the job.
func (SnapshotUnmanageArgs) Kind() string { return "snapshot_unmanage" }
