package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// A key of a key store is known here from before it is made until it is gone:
// NoteKey, then the store makes it; KeepKey in the transaction of the row that it
// is for; unwanted, it is due, and the reconciler has the store delete it. What
// is killed in between leaves a key that is new for too long, or kept by nobody,
// and becomes due by that.

// The uses of a key.
const (
	KeyOfVolume = "volume" // and of its snapshots
	KeyForWork  = "work"   // a copy of Clinker's own, for what a job does to a volume
	KeyOfBackup = "backup"
	KeyOfImage  = "image"   // goes with an uploaded image, whose owner deletes it
	KeyRestored = "restore" // what a volume gets when a backup has been restored to it
)

// NoteKey writes down that a key is about to be made. It does not wait for a
// transaction: the key must be known before it is there.
func (d *DB) NoteKey(ctx context.Context, id, projectID, use string) error {
	_, err := d.pool.Exec(ctx, "INSERT INTO kept_keys (id, project_id, use) VALUES ($1, $2, $3)", id, projectID, use)
	return err
}

// KeepKey says in the transaction of the row that it is for that a new key is
// wanted, by a volume, a backup or an image. Unavailable, with the next statement, when it was new for
// too long and has been given up.
func (t *Tx) KeepKey(id, ownerID string) {
	t.expect(fault.New(fault.Unavailable, "Making the volume's encryption key took too long; try again."),
		"UPDATE kept_keys SET state = 'kept', owner_id = $2, changed_at = now() WHERE id = $1 AND state = 'new'", id, ownerID)
}

// DropKey says that a key is not wanted any more. May be repeated.
func (t *Tx) DropKey(id string) { t.later(dropKeySQL, id) }

const dropKeySQL = "UPDATE kept_keys SET state = 'due', changed_at = now(), next_try = now() WHERE id = $1 AND state <> 'due'"

// DropKey is Tx.DropKey by itself.
func (d *DB) DropKey(ctx context.Context, id string) error {
	_, err := d.pool.Exec(ctx, dropKeySQL, id)
	return err
}

// restoredKey gives a volume that a backup has been restored to the key that opens
// it now, if that is another one than before.
func (t *Tx) restoredKey(ctx context.Context, v Volume) error {
	if v.EncryptionKeyID == nil {
		return nil
	}
	found, err := all(ctx, t, pgx.RowTo[string], `UPDATE kept_keys SET use = 'volume', changed_at = now()
		WHERE owner_id = $1 AND use = 'restore' AND state = 'kept' RETURNING id::text`, v.ID)
	if err != nil || len(found) == 0 {
		return err
	}
	t.later("UPDATE volumes SET encryption_key_id = $2 WHERE id = $1", v.ID, found[0])
	t.releaseKey(v.EncryptionKeyID)
	return nil
}

// dropRestoreKeys drops what an earlier restore left, which was interrupted and then given
// up: only one may be there when a restore ends.
func (t *Tx) dropRestoreKeys(volumeID string) {
	t.later("UPDATE kept_keys SET state = 'due', changed_at = now(), next_try = now() WHERE owner_id = $1 AND use = 'restore' AND state = 'kept'", volumeID)
}

// endImageKey ends what is known of an image's key when its upload does: a whole
// image has it for its own, and of one that is not there it is due.
func (t *Tx) endImageKey(imageID string, whole bool) {
	if whole {
		t.later("DELETE FROM kept_keys WHERE owner_id = $1 AND use = 'image'", imageID)
		return
	}
	t.later("UPDATE kept_keys SET state = 'due', changed_at = now(), next_try = now() WHERE owner_id = $1 AND use = 'image' AND state <> 'due'", imageID)
}

// releaseKey has the key of a volume that is gone deleted, unless a snapshot that
// is left has it too.
func (t *Tx) releaseKey(id *string) {
	if id != nil {
		t.later(dropKeySQL+` AND NOT EXISTS (SELECT 1 FROM snapshots WHERE encryption_key_id = $1 AND deleted_at IS NULL)
			AND NOT EXISTS (SELECT 1 FROM volumes WHERE encryption_key_id = $1 AND deleted_at IS NULL)`, *id)
	}
}

// ForgetKey ends what is known of a key: the store has it no more, or it is
// somebody else's now. May be repeated.
func (d *DB) ForgetKey(ctx context.Context, id string) error {
	_, err := d.pool.Exec(ctx, "DELETE FROM kept_keys WHERE id = $1", id)
	return err
}

// KeptKey is what is known of a key.
type KeptKey struct {
	ID, ProjectID, Use, State string
	Tries                     int
}

const keptKeyColumns = "id, project_id, use, state, tries"

func scanKeptKey(row pgx.CollectableRow) (k KeptKey, err error) {
	return k, row.Scan(&k.ID, &k.ProjectID, &k.Use, &k.State, &k.Tries)
}

// KeptKey tells what is known of a key; ok is false when it is none that Clinker
// has made.
func (d *DB) KeptKey(ctx context.Context, id string) (k KeptKey, ok bool, err error) {
	return d.keptKey(ctx, "SELECT "+keptKeyColumns+" FROM kept_keys WHERE id = $1", id)
}

// WorkKey gives the copy of a volume's key that a job may use.
func (d *DB) WorkKey(ctx context.Context, volumeID string) (k KeptKey, ok bool, err error) {
	return d.keptKey(ctx, "SELECT "+keptKeyColumns+" FROM kept_keys WHERE owner_id = $1 AND use = 'work' AND state = 'kept' ORDER BY changed_at DESC LIMIT 1", volumeID)
}

func (d *DB) keptKey(ctx context.Context, sql string, args ...any) (k KeptKey, ok bool, err error) {
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return k, false, err
	}
	found, err := pgx.CollectRows(rows, scanKeptKey)
	if err != nil || len(found) == 0 {
		return k, false, err
	}
	return found[0], true, nil
}

// unwantedKeysSQL makes keys due that nobody wants: those that were not kept in
// time, those of volumes that are gone, and copies for work that is done. A restore that
// was interrupted goes on, however much later, and then needs its key.
const unwantedKeysSQL = `UPDATE kept_keys k SET state = 'due', changed_at = now(), next_try = now() WHERE id IN (
	SELECT k.id FROM kept_keys k WHERE k.state = 'new' AND k.changed_at <= now() - $1::interval
	UNION ALL SELECT k.id FROM kept_keys k WHERE k.state = 'kept' AND k.use = 'volume' AND k.changed_at <= now() - $2::interval
		AND NOT EXISTS (SELECT 1 FROM volumes v WHERE v.encryption_key_id = k.id AND v.deleted_at IS NULL)
		AND NOT EXISTS (SELECT 1 FROM snapshots s WHERE s.encryption_key_id = k.id AND s.deleted_at IS NULL)
	UNION ALL SELECT k.id FROM kept_keys k WHERE k.state = 'kept' AND k.use = 'backup' AND k.changed_at <= now() - $2::interval
		AND NOT EXISTS (SELECT 1 FROM backups b WHERE b.encryption_key_id = k.id AND b.deleted_at IS NULL)
	UNION ALL SELECT k.id FROM kept_keys k WHERE k.state = 'kept' AND k.use = 'work' AND k.changed_at <= now() - $2::interval
		AND NOT EXISTS (SELECT 1 FROM volumes v WHERE v.id = k.owner_id AND v.deleted_at IS NULL
			AND v.status IN ('creating', 'downloading'))
	UNION ALL SELECT k.id FROM kept_keys k WHERE k.state = 'kept' AND k.use = 'restore' AND k.changed_at <= now() - $2::interval
		AND NOT EXISTS (SELECT 1 FROM volumes v WHERE v.id = k.owner_id AND v.deleted_at IS NULL AND v.status <> 'available')
	LIMIT $3) AND state <> 'due'`

// DropUnwantedKeys has keys deleted that nobody wants: new ones after making, and
// kept ones after quiet. It tells of how many.
func (d *DB) DropUnwantedKeys(ctx context.Context, making, quiet time.Duration, limit int) (int64, error) {
	tag, err := d.pool.Exec(ctx, unwantedKeysSQL, making, quiet, limit)
	return tag.RowsAffected(), err
}

// DueKeys gives keys that the store is to delete, whose next try has come.
func (d *DB) DueKeys(ctx context.Context, limit int) ([]KeptKey, error) {
	rows, err := d.pool.Query(ctx, "SELECT "+keptKeyColumns+" FROM kept_keys WHERE state = 'due' AND next_try <= now() ORDER BY next_try LIMIT $1", limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanKeptKey)
}

// PutOffKey has the deletion of a key tried again later, and says why it failed.
func (d *DB) PutOffKey(ctx context.Context, id string, wait time.Duration, failure string) error {
	_, err := d.pool.Exec(ctx, "UPDATE kept_keys SET tries = tries + 1, next_try = now() + $2::interval, failure = $3 WHERE id = $1 AND state = 'due'", id, wait, failure)
	return err
}

// AbandonKey is DropKey for a key that was made for a row which has not come to
// be; false when there is such a row after all, or the key is due already.
func (d *DB) AbandonKey(ctx context.Context, id string) (bool, error) {
	tag, err := d.pool.Exec(ctx, "UPDATE kept_keys SET state = 'due', changed_at = now(), next_try = now() WHERE id = $1 AND state = 'new'", id)
	return tag.RowsAffected() == 1, err
}

// SwapKey gives a volume and its snapshots another key, and has the former one
// deleted. Conflict when the volume has another key by now.
func (t *Tx) SwapKey(ctx context.Context, volumeID, from, to string) error {
	rows, err := t.exec(ctx, "UPDATE volumes SET encryption_key_id = $3 WHERE id = $1 AND encryption_key_id = $2 AND deleted_at IS NULL", volumeID, from, to)
	if err == nil && rows == 0 {
		err = fault.New(fault.Conflict, "Volume %s was changed by another request at the same time.", volumeID)
	}
	if err != nil {
		return err
	}
	t.later("UPDATE snapshots SET encryption_key_id = $3 WHERE volume_id = $1 AND encryption_key_id = $2 AND deleted_at IS NULL", volumeID, from, to)
	t.expect(fault.New(fault.Invalid, "Invalid volume: Volume %s has snapshots of before it was restored from a backup, with another key.", volumeID),
		"SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM snapshots WHERE volume_id = $1 AND deleted_at IS NULL AND encryption_key_id IS DISTINCT FROM $2)", volumeID, to)
	t.KeepKey(to, volumeID)
	t.DropKey(from)
	return nil
}

// KeysOfGroup gives the keys of a group's volumes, or of a group snapshot's
// snapshots; one of the ids is "".
func (d *DB) KeysOfGroup(ctx context.Context, groupID, groupSnapshotID string) ([]string, error) {
	sql, id := "SELECT encryption_key_id FROM volumes WHERE group_id = $1 AND deleted_at IS NULL AND encryption_key_id IS NOT NULL", groupID
	if id == "" {
		sql, id = "SELECT encryption_key_id FROM snapshots WHERE group_snapshot_id = $1 AND deleted_at IS NULL AND encryption_key_id IS NOT NULL", groupSnapshotID
	}
	rows, err := d.pool.Query(ctx, sql, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
