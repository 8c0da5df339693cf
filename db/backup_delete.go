package db

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// BeginBackupDelete starts the deletion of a backup, or ends it at once where no
// store has anything of it. m is BackupDeleteBegin or BackupForceDelete, which
// also ends what was being done with it. Conflict when its status does not allow
// it; Invalid, in Cinder's words, when others add to it: the transaction must then
// be given up.
func (t *Tx) BeginBackupDelete(ctx context.Context, id string, m Move, request string) error {
	was, err := t.lockBackup(ctx, id)
	if err != nil {
		return err
	}
	b, err := t.MoveBackup(ctx, id, m, "", nil)
	if err != nil {
		return err
	}
	if err := t.noBackupAddsTo(ctx, b); err != nil {
		return err
	}
	others, err := t.lyingThere(ctx, b)
	if err != nil {
		return err
	}
	switch was.Status {
	case BackupCreating:
		err = t.endBackUp(ctx, b)
	case BackupRestoring:
		err = t.giveUpRestore(ctx, b)
	}
	if err != nil {
		return err
	}
	staying := slices.ContainsFunc(others, func(status string) bool { return status != BackupDeleting && status != BackupErrorDeleting })
	if b.Store == nil || staying || b.Imported && was.Status == BackupCreating {
		return t.FinishBackupDelete(ctx, b) // a record that nobody has looked at yet gives no right to what it names
	}
	return t.Enqueue(ctx, BackupDeleteArgs{BackupID: id, Request: request})
}

// lockBackup reads a backup and keeps it as it is.
func (t *Tx) lockBackup(ctx context.Context, id string) (Backup, error) {
	t.lockVolumesOf(id)
	var b builder
	return first(ctx, t, scanBackup, BackupNotFound(id),
		"SELECT "+backups.columns+" FROM backups b WHERE "+t.live(&b, "b", id)+" FOR UPDATE", b.args...)
}

// lockVolumesOf keeps others out of the volumes that a backup is made of and
// restored to, as far as there are any. It comes before every change of a backup
// that may end with one of its volume: who makes or restores a backup has the
// volume first, and two must not wait for each other crosswise.
func (t *Tx) lockVolumesOf(backupID string) {
	t.later(`SELECT 1 FROM volumes WHERE id = ANY (ARRAY(
		SELECT unnest(ARRAY[volume_id, restore_volume_id]) FROM backups WHERE id = $1)) ORDER BY id FOR UPDATE`, backupID)
}

// noBackupAddsTo is nil when no incremental backup needs this one, those that are
// in error included, as in Cinder. Call it behind a MoveBackup, which keeps new
// ones out.
func (t *Tx) noBackupAddsTo(ctx context.Context, b Backup) error {
	needed, err := first(ctx, t, pgx.RowTo[bool], nil, `SELECT EXISTS (SELECT 1 FROM backups WHERE parent_id IN ($1, $2) AND parent_id IS NOT NULL AND deleted_at IS NULL)
		OR EXISTS (SELECT 1 FROM backups WHERE needs @> ARRAY[$2]::uuid[] AND needs <> '{}' AND deleted_at IS NULL)`, b.ID, b.StoredID())
	if err == nil && needed {
		err = fault.New(fault.Invalid, "Invalid backup: Incremental backups exist for this backup.")
	}
	return err
}

// lyingThere gives the statuses of the other backups that are the same one in the
// store, and keeps them as they are: a record can be imported under another id.
func (t *Tx) lyingThere(ctx context.Context, b Backup) ([]string, error) {
	if b.Store == nil {
		return nil, nil
	}
	return all(ctx, t, pgx.RowTo[string], `SELECT status FROM backups WHERE id <> $1 AND (id = $2 AND data_id IS NULL OR data_id = $2)
		AND store = $3 AND container IS NOT DISTINCT FROM $4 AND deleted_at IS NULL FOR UPDATE`, b.ID, b.StoredID(), *b.Store, b.Container)
}

// BackupCopied tells whether volumes are being made of a backup: it must not be
// taken away before they are.
func (d *DB) BackupCopied(ctx context.Context, id string) (bool, error) {
	var copied bool
	err := d.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM volumes WHERE backup_id = $1
		AND deleted_at IS NULL AND backup_id IS NOT NULL AND status = 'creating')`, id).Scan(&copied)
	return copied, err
}

// HostBackup notes which node is asked to take a backup away, so that the next
// run of the job asks the same one. May be repeated.
func (d *DB) HostBackup(ctx context.Context, b Backup, host string) error {
	_, err := d.pool.Exec(ctx, "UPDATE backups SET host = $3 WHERE id = $1 AND generation = $2 AND deleted_at IS NULL", b.ID, b.Generation, host)
	return err
}

// FinishBackupDelete ends a backup that its store has no more: the row leaves
// every list and its quota is given back, all at once. May be repeated: the second
// time it is NotFound.
func (t *Tx) FinishBackupDelete(ctx context.Context, b Backup) error {
	gone, err := t.MoveBackup(ctx, b.ID, BackupDeleteDone, "", map[string]any{"deleted_at": t.Now()})
	if err != nil {
		return err
	}
	if gone.EncryptionKeyID != nil {
		t.DropKey(*gone.EncryptionKeyID)
	}
	return t.Use(ctx, gone.ProjectID, BackupUse(gone, -1), nil)
}

// FailBackupDelete ends a deletion that did not succeed; m is BackupDeleteFailed
// or BackupDeleteSilent. Conflict when b is not the row as it is now.
func (t *Tx) FailBackupDelete(ctx context.Context, b Backup, m Move, reason string) error {
	_, err := t.MoveBackupAt(ctx, b, m, reason, map[string]any{"fail_reason": failReason(reason)})
	return err
}

// ResetBackup is the administrator's os-reset_status. What was being done with it
// is given up.
func (t *Tx) ResetBackup(ctx context.Context, id, status string) error {
	was, err := t.lockBackup(ctx, id)
	if err != nil {
		return err
	}
	b, err := t.MoveBackup(ctx, id, ResetTo(status), "reset by an administrator", nil)
	if err != nil {
		return err
	}
	switch was.Status {
	case BackupCreating:
		return t.endBackUp(ctx, b)
	case BackupRestoring:
		return t.giveUpRestore(ctx, b)
	}
	return nil
}
