package db

// The jobs of backups; see job.go.

// BackupCreateArgs asks for the backup of a row in status creating, or that an
// imported one be compared with its store.
type BackupCreateArgs struct {
	BackupID string `json:"backup_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (BackupCreateArgs) Kind() string { return "backup_create" }

// BackupDeleteArgs asks that a row in status deleting go away.
type BackupDeleteArgs struct {
	BackupID string `json:"backup_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (BackupDeleteArgs) Kind() string { return "backup_delete" }

// BackupRestoreArgs asks that a volume in status restoring-backup be as its
// backup in status restoring.
type BackupRestoreArgs struct {
	BackupID string `json:"backup_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (BackupRestoreArgs) Kind() string { return "backup_restore" }
