package conf

// Quota is the part of [DEFAULT] that limits a project which has no quota of
// its own. -1 means no limit.
type Quota struct {
	Volumes            int  `ini:"quota_volumes" default:"10" min:"-1" help:"Volumes a project may have."`
	Snapshots          int  `ini:"quota_snapshots" default:"10" min:"-1" help:"Snapshots a project may have."`
	GigabytesGiB       int  `ini:"quota_gigabytes" default:"1000" min:"-1" help:"GiB a project may have in volumes and snapshots."`
	Backups            int  `ini:"quota_backups" default:"10" min:"-1" help:"Backups a project may have."`
	BackupGigabytesGiB int  `ini:"quota_backup_gigabytes" default:"1000" min:"-1" help:"GiB a project may have in backups."`
	Groups             int  `ini:"quota_groups" default:"10" min:"-1" help:"Groups a project may have."`
	PerVolumeSizeGiB   int  `ini:"per_volume_size_limit" default:"-1" min:"-1" help:"The size in GiB of the largest volume."`
	NoSnapshotGB       bool `ini:"no_snapshot_gb_quota" default:"false" help:"Do not count snapshots in the GiB of a project."`
}
