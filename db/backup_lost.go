package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// lostBackupsSQL finds backups in a moving status that no job will move, as
// lostJobsSQL does volumes. One that is being restored to a new volume is moved
// by that one's job.
var lostBackupsSQL = `SELECT b.id, b.status, b.generation, b.request_id
	FROM backups b JOIN (VALUES ('creating', 'backup_create'), ('deleting', 'backup_delete'), ('restoring', 'backup_restore')) AS moving (status, kind) USING (status)
	WHERE b.deleted_at IS NULL AND b.status IN ('creating', 'deleting', 'restoring')
		AND (b.status <> 'restoring' OR EXISTS (SELECT 1 FROM volumes v WHERE v.id = b.restore_volume_id
			AND v.deleted_at IS NULL AND v.status = 'restoring-backup'))
		AND COALESCE(b.updated_at, b.created_at) <= now() - $1::interval
		AND ` + jobless("moving.kind", "backup_id", "b.id") + `
	ORDER BY b.updated_at LIMIT $2`

// LostBackups gives backups that have been in a moving status for that long and
// have no job, at most limit of them.
func (d *DB) LostBackups(ctx context.Context, quiet time.Duration, limit int) ([]Backup, error) {
	return d.lostBackups(ctx, lostBackupsSQL, quiet, limit)
}

func (d *DB) lostBackups(ctx context.Context, sql string, args ...any) ([]Backup, error) {
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Backup, err error) {
		return b, row.Scan(&b.ID, &b.Status, &b.Generation, &b.RequestID)
	})
}

// BackupAgain gives such a backup a new job. Conflict when it was moved meanwhile.
func (t *Tx) BackupAgain(ctx context.Context, b Backup) error {
	if _, err := t.MoveBackupAt(ctx, b, BackupJobLost, "", nil); err != nil {
		return err
	}
	switch b.Status {
	case BackupCreating:
		return t.Enqueue(ctx, BackupCreateArgs{BackupID: b.ID, Request: b.RequestID})
	case BackupRestoring:
		return t.Enqueue(ctx, BackupRestoreArgs{BackupID: b.ID, Request: b.RequestID})
	}
	return t.Enqueue(ctx, BackupDeleteArgs{BackupID: b.ID, Request: b.RequestID})
}

// StrandedBackupRestores gives backups that have been in status restoring for that
// long although no volume is being made of them any more; at most limit.
func (d *DB) StrandedBackupRestores(ctx context.Context, quiet time.Duration, limit int) ([]Backup, error) {
	return d.lostBackups(ctx, `SELECT b.id, b.status, b.generation, b.request_id FROM backups b
		WHERE b.deleted_at IS NULL AND b.status = 'restoring' AND b.updated_at <= now() - $1::interval
			AND NOT EXISTS (SELECT 1 FROM volumes v WHERE v.id = b.restore_volume_id AND v.deleted_at IS NULL
				AND (v.status = 'restoring-backup' OR v.status = 'creating' AND v.backup_id = b.id))
		LIMIT $2`, quiet, limit)
}

// EndBackupRestore makes such a backup available again. Conflict when it was moved
// meanwhile.
func (t *Tx) EndBackupRestore(ctx context.Context, b Backup) error {
	_, err := t.MoveBackupAt(ctx, b, BackupRestoreEnd, "no volume is being made of it", nil)
	return err
}

// InterruptedBackupDeletes gives backups in error_deleting whose last history
// entry has that reason, and whose store a node reaches that was heard of since;
// at most limit.
func (d *DB) InterruptedBackupDeletes(ctx context.Context, reason string, limit int) ([]Backup, error) {
	return d.lostBackups(ctx, `SELECT b.id, b.status, b.generation, b.request_id FROM backups b
		JOIN backup_history h ON h.backup_id = b.id AND h.generation = b.generation AND h.reason = $1
		WHERE b.deleted_at IS NULL AND b.status = 'error_deleting' AND EXISTS (SELECT 1 FROM services s
			WHERE s.daemon = $3 AND NOT s.disabled AND s.backup_store = b.store AND s.heartbeat_at > b.updated_at)
		LIMIT $2`, reason, limit, DaemonBackup)
}

// ResumeBackupDelete goes on with an interrupted deletion. Conflict when the backup
// was moved meanwhile.
func (t *Tx) ResumeBackupDelete(ctx context.Context, b Backup) error {
	if _, err := t.MoveBackupAt(ctx, b, BackupDeleteResume, "", map[string]any{"fail_reason": nil}); err != nil {
		return err
	}
	return t.Enqueue(ctx, BackupDeleteArgs{BackupID: b.ID, Request: b.RequestID})
}
