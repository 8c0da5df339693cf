package db

import "context"

// BackupService is Cinder's name of the driver, as records of exported backups
// have it.
func (s Service) BackupService() string {
	switch s.BackupDriver {
	case "posix":
		return "cinder.backup.drivers.posix.PosixBackupDriver"
	case "s3":
		return "cinder.backup.drivers.s3.S3BackupDriver"
	}
	return s.BackupDriver
}

// BackupServices lists the nodes that have said that they reach a store for
// backups, by host; they may be down or disabled since.
func (d *DB) BackupServices(ctx context.Context) ([]Service, error) {
	return d.Services(ctx, "", DaemonBackup)
}
