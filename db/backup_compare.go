package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// BackupRemains is a backup of which a node has a snapshot: what it reads while it
// makes the backup, and may keep to make the next one faster.
type BackupRemains struct {
	Backup
	pool *string // of its volume
}

// BackupsEver gives backups by id, those that have been deleted too.
func (d *DB) BackupsEver(ctx context.Context, ids []string) (map[string]BackupRemains, error) {
	rows, err := d.pool.Query(ctx, `SELECT b.id, b.volume_id, b.status, b.generation, b.deleted_at, v.pool_id
		FROM backups b LEFT JOIN volumes v ON v.id = b.volume_id AND v.deleted_at IS NULL WHERE b.id = ANY($1::uuid[])`, valid(ids))
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b BackupRemains, err error) {
		return b, row.Scan(&b.ID, &b.VolumeID, &b.Status, &b.Generation, &b.DeletedAt, &b.pool)
	})
	byID := make(map[string]BackupRemains, len(found))
	for _, b := range found {
		byID[b.ID] = b
	}
	return byID, err
}

// IsRemains tells whether a snapshot that a pool's node has under this backup's id
// is but remains: the backup is gone or failed, or its volume is elsewhere.
func (b BackupRemains) IsRemains(poolID string) bool {
	if b.DeletedAt != nil || b.Status == BackupError {
		return true
	}
	return b.Status != BackupCreating && deref(b.pool) != poolID
}

// OutdateBackup raises the generation of a backup of which a node has remains, so
// that they can be taken away there, and gives the new generation. Conflict when
// the backup has changed.
func (t *Tx) OutdateBackup(ctx context.Context, b Backup) (int64, error) {
	moved, err := t.MoveBackupAt(ctx, b, BackupOutdated, "", nil)
	if err == nil && moved.Status == BackupCreating {
		err = fault.New(fault.Conflict, "Backup %s is being made.", b.ID)
	}
	return moved.Generation, err
}
