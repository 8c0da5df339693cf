package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// BackupUse is the use of quota that one backup means: sign 1 to reserve it, -1
// to give it back. It is of the project that made it, whosever its volume is.
func BackupUse(b Backup, sign int) []Delta {
	return []Delta{{QuotaBackups, sign}, {QuotaBackupGigabytes, sign * b.SizeGiB}}
}

var insertBackupSQL = backups.insert()

// InsertBackup writes a new backup, in status creating, its quota and its job.
// What it has from its volume is read from that, which nobody may change from
// then on until it is done: volume, or snapshot if b is of one, are backing-up.
// force lets the volume be attached; incremental has b add to the newest backup
// of the volume. Invalid, in Cinder's words, when the volume, the snapshot or the
// backup to add to is in none of the statuses for it.
func (t *Tx) InsertBackup(ctx context.Context, b *Backup, force, incremental bool, limits Limits) error {
	v, err := t.lockForBackup(ctx, b.VolumeID)
	if err != nil {
		return err
	}
	b.Status, b.Generation, b.CreatedAt = BackupCreating, 1, t.Now()
	how, err := t.encryptionOf(ctx, v)
	if err != nil {
		return err
	}
	b.SizeGiB, b.Origin = v.SizeGiB, Origin{v.Name, v.Description, v.Metadata, v.ImageMetadata, v.Bootable, how}
	if err := t.holdForBackup(ctx, v, b, force); err != nil {
		return err
	}
	if incremental {
		if b.ParentID, err = t.backupToAddTo(ctx, *b); err != nil {
			return err
		}
	}
	t.later(insertBackupSQL, values(b.fields())...)
	movedBackups.begin(t, b.ID, b.Generation, b.Status)
	if err := t.Use(ctx, b.ProjectID, BackupUse(*b, 1), limits); err != nil {
		return err
	}
	return t.Enqueue(ctx, BackupCreateArgs{BackupID: b.ID, Request: b.RequestID})
}

func (t *Tx) lockForBackup(ctx context.Context, id string) (Volume, error) {
	if !ValidID(id) {
		return Volume{}, VolumeNotFound(id)
	}
	var b builder
	return first(ctx, t, scanVolume, VolumeNotFound(id),
		"SELECT "+volumes.columns+" FROM "+volumes.from+" WHERE "+t.live(&b, "v", id)+" FOR UPDATE OF v", b.args...)
}

// holdForBackup begins the status that keeps volume or snapshot as they are.
func (t *Tx) holdForBackup(ctx context.Context, v Volume, b *Backup, force bool) error {
	if b.SnapshotID != nil {
		return t.holdSnapshotForBackup(ctx, v, b)
	}
	switch {
	case v.Status != "available" && v.Status != "in-use":
		return fault.New(fault.Invalid, "Invalid volume: Volume to be backed up must be available or in-use, but the current status is \"%s\".", v.Status)
	case v.Status == "in-use" && !force:
		return fault.New(fault.Invalid, "Invalid volume: Backing up an in-use volume must use the force flag.")
	case migrating(v):
		return fault.New(fault.Invalid, "Invalid volume: Backup cannot be created while volume is migrating.")
	}
	b.DataTimestamp = &b.CreatedAt
	_, err := t.MoveVolume(ctx, v.ID, BackUpBegin, "", nil)
	return err
}

func (t *Tx) holdSnapshotForBackup(ctx context.Context, v Volume, b *Backup) error {
	s, err := first(ctx, t, scanSnapshot, SnapshotNotFound(*b.SnapshotID),
		"SELECT "+snapshots.columns+" FROM snapshots s WHERE s.id = $1 AND s.deleted_at IS NULL FOR UPDATE", *b.SnapshotID)
	switch {
	case err != nil:
		return err
	case s.VolumeID != v.ID:
		return fault.New(fault.Invalid, "Invalid volume: Volume %s does not match with snapshot.volume_id %s.", v.ID, s.VolumeID)
	case s.Status != SnapshotAvailable:
		return fault.New(fault.Invalid, "Invalid snapshot: Snapshot to be backed up must be available, but the current status is \"%s\".", s.Status)
	}
	b.DataTimestamp = &s.CreatedAt
	_, err = t.MoveSnapshot(ctx, s.ID, SnapshotBackUpBegin, "", nil)
	return err
}

// backupToAddToSQL finds the newest good backup of a volume, by the time of its
// data, and keeps it. One of a snapshot adds to what is older than the snapshot.
const backupToAddToSQL = `SELECT b.id FROM backups b WHERE b.volume_id = $1 AND b.project_id = $2 AND b.deleted_at IS NULL
		AND b.status IN ('available', 'restoring') AND ($4::uuid IS NULL OR b.data_timestamp < $3)
	ORDER BY b.data_timestamp DESC NULLS LAST, b.id DESC LIMIT 1 FOR SHARE`

func (t *Tx) backupToAddTo(ctx context.Context, b Backup) (*string, error) {
	found, err := all(ctx, t, pgx.RowTo[string], backupToAddToSQL, b.VolumeID, b.ProjectID, b.DataTimestamp, b.SnapshotID)
	if err != nil || len(found) == 1 {
		return firstOrNil(found), err
	}
	others, err := first(ctx, t, pgx.RowTo[bool], nil,
		"SELECT EXISTS (SELECT 1 FROM backups WHERE volume_id = $1 AND project_id = $2 AND deleted_at IS NULL AND ($4::uuid IS NULL OR data_timestamp < $3))",
		b.VolumeID, b.ProjectID, b.DataTimestamp, b.SnapshotID)
	switch {
	case err != nil:
		return nil, err
	case others:
		return nil, fault.New(fault.Invalid, "Invalid backup: The parent backup must be available for incremental backup.")
	}
	return nil, fault.New(fault.Invalid, "Invalid backup: No backups available to do an incremental backup.")
}

func firstOrNil[T any](found []T) *T {
	if len(found) == 0 {
		return nil
	}
	return &found[0]
}

// BindBackup notes, before a node is asked to make a backup, where it will lie:
// from then on something of it may be there. false when b is not the row as it is
// now, or it is bound to another store. May be repeated.
func (d *DB) BindBackup(ctx context.Context, b Backup, s Service) (bool, error) {
	tag, err := d.pool.Exec(ctx, `UPDATE backups SET host = $3, service = $4, store = $5, container = COALESCE(container, $6),
			availability_zone = COALESCE(availability_zone, $7)
		WHERE id = $1 AND generation = $2 AND deleted_at IS NULL AND COALESCE(store, $5) = $5`,
		b.ID, b.Generation, s.Host, s.BackupService(), s.BackupStore, s.BackupContainer, s.AvailabilityZone)
	return tag.RowsAffected() == 1, err
}

// FinishBackup: the store has the backup, in that many objects. Conflict when b
// is not the row as it is now; then b must be read again.
func (t *Tx) FinishBackup(ctx context.Context, b Backup, objects int) error {
	t.lockVolumesOf(b.ID)
	if _, err := t.MoveBackupAt(ctx, b, BackupCreateDone, "", map[string]any{"object_count": objects, "fail_reason": nil}); err != nil {
		return err
	}
	return t.endBackUp(ctx, b)
}

// FailBackup ends a creation that did not succeed. The row stays, and counts in
// the quota until it is deleted, as in Cinder. Conflict as for FinishBackup.
func (t *Tx) FailBackup(ctx context.Context, b Backup, reason string) error {
	set := map[string]any{"fail_reason": failReason(reason)}
	if b.Imported {
		set["store"] = nil // what lies there is not this one's to be deleted
	}
	t.lockVolumesOf(b.ID)
	if _, err := t.MoveBackupAt(ctx, b, BackupCreateFailed, reason, set); err != nil {
		return err
	}
	return t.endBackUp(ctx, b)
}

// failReason shortens a sentence to what Cinder's clients expect at most.
func failReason(text string) string {
	const most = 255
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// endBackUp lets go of the volume or snapshot that a backup was made of, if it is
// still held. An imported backup holds none.
func (t *Tx) endBackUp(ctx context.Context, b Backup) error {
	var err error
	switch {
	case b.Imported:
		return nil
	case b.SnapshotID != nil:
		_, err = t.MoveSnapshot(ctx, *b.SnapshotID, SnapshotBackUpEnd, "", nil)
	default:
		_, err = t.MoveVolume(ctx, b.VolumeID, BackUpEnd, "", nil)
	}
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
