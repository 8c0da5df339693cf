package db

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"clinker/internal/fault"
)

// HoldBackup keeps a backup from being deleted until the transaction ends, for who
// makes a volume of it. Invalid, in Cinder's words, when it is not available;
// NotFound when it is gone.
func (t *Tx) HoldBackup(ctx context.Context, id string) (Backup, error) {
	b, err := first(ctx, t, scanBackup, BackupNotFound(id),
		"SELECT "+backups.columns+" FROM backups b WHERE b.id = $1 AND b.deleted_at IS NULL FOR SHARE", id)
	if err != nil {
		return b, err
	}
	return b, b.Usable()
}

// Usable is nil when a volume can be made of the backup; else it is Invalid in
// Cinder's words.
func (b Backup) Usable() error {
	if b.Status != BackupAvailable {
		return fault.New(fault.Invalid, "Invalid backup: Originating backup status must be one of 'available' values, but current status is: %s.", b.Status)
	}
	return nil
}

// BeginRestoreToNew has a volume that is created in the same transaction show as
// what the backup is restored to. Conflict when the backup is not available.
func (t *Tx) BeginRestoreToNew(ctx context.Context, id, volumeID string) error {
	_, err := t.MoveBackup(ctx, id, BackupRestoreBegin, "", map[string]any{"restore_volume_id": volumeID})
	return err
}

// BeginRestoreOver starts to write a backup over a volume: both statuses and the
// job, all at once. The key that the volume is to get is kept after this. Conflict when
// one of them is not available; Invalid when the volume is too small.
func (t *Tx) BeginRestoreOver(ctx context.Context, id, volumeID, request string) error {
	v, err := t.MoveVolume(ctx, volumeID, RestoreBegin, "", nil)
	if err != nil {
		return err
	}
	b, err := t.MoveBackup(ctx, id, BackupRestoreBegin, "", map[string]any{"restore_volume_id": volumeID})
	if err != nil {
		return err
	}
	if v.SizeGiB < b.SizeGiB {
		return TooSmallToRestore(v, b)
	}
	t.dropRestoreKeys(v.ID)
	return t.Enqueue(ctx, BackupRestoreArgs{BackupID: id, Request: request})
}

// TooSmallToRestore is what Cinder says then.
func TooSmallToRestore(v Volume, b Backup) error {
	return fault.New(fault.Invalid, "Invalid volume: volume size %d is too small to restore backup of size %d.", v.SizeGiB, b.SizeGiB)
}

// FinishRestore: the volume has the bytes of the backup, and becomes what its
// volume was beside them. v is in status creating, or restoring-backup. Conflict
// when v is not the row as it is now; then v must be read again.
func (t *Tx) FinishRestore(ctx context.Context, v Volume, b Backup) error {
	set := b.restored(v)
	m := RestoreDone
	if v.Status == "creating" {
		m, set["launched_at"] = CreateDone, t.Now()
	}
	if _, err := t.MoveVolumeAt(ctx, v, m, "", set); err != nil {
		return err
	}
	if err := t.restoredKey(ctx, v); err != nil {
		return err
	}
	return t.endRestores(ctx, v.ID)
}

// sourceBackup is the metadata by which Cinder says of which backup a volume is.
const sourceBackup = "src_backup_id"

// restored are the columns that follow from a restore, by Cinder's rules
// (BackupMetadataAPI): a volume that has no name of its own gets the former one;
// metadata replace those that are there, if there were any; what an image had said
// comes back with the right to boot.
func (b Backup) restored(v Volume) map[string]any {
	set := map[string]any{}
	if hasNoName(v) && b.Origin.Name != nil && *b.Origin.Name != "" {
		set["name"], set["description"] = b.Origin.Name, b.Origin.Description
	}
	if len(b.Origin.ImageMetadata) > 0 {
		set["image_metadata"] = b.Origin.ImageMetadata
	}
	if b.Origin.Bootable || len(b.Origin.ImageMetadata) > 0 {
		set["bootable"] = true
	}
	metadata := v.Metadata
	if len(b.Origin.Metadata) > 0 {
		metadata = b.Origin.Metadata
	}
	if former := metadata[sourceBackup]; b.VolumeID != v.ID || former != "" && former != b.ID {
		metadata = maps.Clone(metadata).With(map[string]string{sourceBackup: b.ID})
	}
	if len(b.Origin.Metadata) > 0 {
		set["metadata"] = metadata
	} else if source := metadata[sourceBackup]; source != v.Metadata[sourceBackup] {
		text, _ := json.Marshal(map[string]string{sourceBackup: source})
		set["metadata"] = gorm.Expr("v.metadata || ?::jsonb", string(text))
	}
	return set
}

// hasNoName tells whether a volume has no name but what a restore gave it.
func hasNoName(v Volume) bool {
	return v.Name == nil || *v.Name == "" || strings.HasPrefix(*v.Name, "restore_backup_")
}

// FailRestoreOver leaves the volume in error_restoring: it may be partly as it was
// and partly as the backup is, which is available again. Conflict as for
// FinishRestore.
func (t *Tx) FailRestoreOver(ctx context.Context, v Volume, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, RestoreFailed, reason, nil); err != nil {
		return err
	}
	return t.endRestores(ctx, v.ID)
}

// RestoreJustBegun tells whether volume and backup are as BeginRestoreOver left them:
// each was available right before.
func (d *DB) RestoreJustBegun(ctx context.Context, v Volume, b Backup) (begun bool, err error) {
	err = d.pool.QueryRow(ctx, `SELECT
		EXISTS (SELECT 1 FROM volume_history WHERE volume_id = $1 AND generation = $2 - 1 AND status = 'available') AND
		EXISTS (SELECT 1 FROM backup_history WHERE backup_id = $3 AND generation = $4 - 1 AND status = 'available')`,
		v.ID, v.Generation, b.ID, b.Generation).Scan(&begun)
	return begun, err
}

// GiveUpRestore lets a volume go that nobody has begun to write over. Conflict as for
// FinishRestore.
func (t *Tx) GiveUpRestore(ctx context.Context, v Volume, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, RestoreGivenUp, reason, nil); err != nil {
		return err
	}
	return t.endRestores(ctx, v.ID)
}

// FailRestoreToNew is FailCreate for a volume that may have been to be made of a
// backup.
func (t *Tx) FailRestoreToNew(ctx context.Context, v Volume, reason string) error {
	if err := t.FailCreate(ctx, v, reason); err != nil || v.BackupID == nil {
		return err
	}
	return t.endRestores(ctx, v.ID)
}

// endRestores makes the backup that was being restored to a volume available
// again; there is none where the volume was merely created of one.
func (t *Tx) endRestores(ctx context.Context, volumeID string) error {
	restoring, err := all(ctx, t, pgx.RowTo[string], `SELECT id::text FROM backups
		WHERE restore_volume_id = $1 AND deleted_at IS NULL AND status = 'restoring'`, volumeID)
	for _, id := range restoring {
		if err == nil {
			_, err = t.MoveBackup(ctx, id, BackupRestoreEnd, "", nil)
		}
	}
	return err
}

// giveUpRestore leaves the volume that a backup was being restored to, if it still
// is, in error_restoring. One that is being made of it goes on as far as it can.
func (t *Tx) giveUpRestore(ctx context.Context, b Backup) error {
	if b.RestoreVolumeID == nil {
		return nil
	}
	_, err := t.MoveVolume(ctx, *b.RestoreVolumeID, RestoreFailed, "its backup is not being restored any more", nil)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// RestoringBackup gives the backup and the volume that it is being restored to;
// NotFound when the backup is gone.
func (d *DB) RestoringBackup(ctx context.Context, id string) (b Backup, v Volume, restoring bool, err error) {
	if b, err = d.Backup(ctx, id, ""); err != nil || b.Status != BackupRestoring || b.RestoreVolumeID == nil {
		return b, v, false, err
	}
	v, err = d.Volume(ctx, *b.RestoreVolumeID, "")
	if fault.Is(err, fault.NotFound) {
		return b, v, false, nil
	}
	return b, v, err == nil && v.Status == "restoring-backup", err
}

// ResumeRestore goes on with a restore that a silent node has ended. Conflict when
// volume or backup were moved meanwhile.
func (t *Tx) ResumeRestore(ctx context.Context, v Volume) error {
	_, err := t.resumeRestore(ctx, v)
	return err
}

// resumeRestore gives the backup: the one whose restore to the volume was begun last.
func (t *Tx) resumeRestore(ctx context.Context, v Volume) (string, error) {
	if _, err := t.MoveVolumeAt(ctx, v, RestoreResume, "", nil); err != nil {
		return "", err
	}
	none := fault.New(fault.Conflict, "Volume %s has no backup any more.", v.ID)
	id, err := first(ctx, t, pgx.RowTo[string], none, `SELECT b.id::text FROM backups b WHERE b.restore_volume_id = $1 AND b.deleted_at IS NULL
		ORDER BY (SELECT max(h.at) FROM backup_history h WHERE h.backup_id = b.id AND h.status = 'restoring') DESC NULLS LAST LIMIT 1`, v.ID)
	if err != nil {
		return "", err
	}
	b, err := t.MoveBackup(ctx, id, BackupRestoreBegin, "", nil)
	if err != nil {
		return "", err
	}
	return id, t.Enqueue(ctx, BackupRestoreArgs{BackupID: id, Request: b.RequestID})
}
