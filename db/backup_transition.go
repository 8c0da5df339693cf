package db

import "context"

var movedBackups = withHistory(backups, "Backup", scanBackup, BackupNotFound)

// MoveBackup changes a backup's status by compare-and-set, raises its generation
// and writes the history; set holds further columns for the same statement. It
// gives the row as it is then. Conflict, with the status it found in the message,
// when the backup is in none of the Move's statuses; NotFound when it is gone.
func (t *Tx) MoveBackup(ctx context.Context, id string, m Move, reason string, set map[string]any) (Backup, error) {
	return movedBackups.move(ctx, t, id, 0, m, reason, set)
}

// MoveBackupAt is MoveBackup for a worker that acted upon b: Conflict also when
// anything has moved the backup since b was read.
func (t *Tx) MoveBackupAt(ctx context.Context, b Backup, m Move, reason string, set map[string]any) (Backup, error) {
	return movedBackups.move(ctx, t, b.ID, b.Generation, m, reason, set)
}
