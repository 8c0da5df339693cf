package db

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// ImportBackup writes a backup from a record, in status creating, with its quota
// and the job that compares it with its store. A row of that id that was deleted is
// written anew. Invalid, in Cinder's words, when the id is that of a live one.
//
// The generation begins at the time: the database may be a new one, while nodes
// remember generations of the former.
func (t *Tx) ImportBackup(ctx context.Context, b *Backup, limits Limits) error {
	b.Status, b.Imported, b.CreatedAt = BackupCreating, true, t.Now()
	b.Generation = b.CreatedAt.Unix()
	former, err := all(ctx, t, scanFormer, "SELECT generation, deleted_at IS NOT NULL FROM backups WHERE id = $1 FOR UPDATE", b.ID)
	if err != nil {
		return err
	}
	if len(former) == 1 {
		if !former[0].deleted {
			return BackupExists()
		}
		b.Generation = max(b.Generation, former[0].generation+1)
		t.later("DELETE FROM backups WHERE id = $1", b.ID)
	}
	none := BackupExists() // of two at once, one is later
	if _, err := first(ctx, t, pgx.RowTo[string], none, insertBackupSQL+" ON CONFLICT (id) DO NOTHING RETURNING id::text", values(b.fields())...); err != nil {
		return err
	}
	movedBackups.begin(t, b.ID, b.Generation, b.Status)
	if err := t.Use(ctx, b.ProjectID, BackupUse(*b, 1), limits); err != nil {
		return err
	}
	return t.Enqueue(ctx, BackupCreateArgs{BackupID: b.ID, Request: b.RequestID})
}

type former struct {
	generation int64
	deleted    bool
}

func scanFormer(row pgx.CollectableRow) (f former, err error) {
	return f, row.Scan(&f.generation, &f.deleted)
}

// BackupExists is what Cinder says of an import whose id is taken.
func BackupExists() error {
	return fault.New(fault.Invalid, "Invalid backup: Backup already exists in database.")
}

// Stored is what a store says of an imported backup.
type Stored struct {
	Container string
	Objects   int
	Needs     []string // all backups that it adds to
	Origin    *Origin  // nil where it says nothing of it
	At        time.Time
}

// FinishImport writes what the store says of an imported backup, which s reaches;
// the record may not have been right. Conflict when b is not the row as it is now;
// Invalid when it is being deleted from there.
func (t *Tx) FinishImport(ctx context.Context, b Backup, s Service, is Stored) error {
	set := map[string]any{"object_count": is.Objects, "needs": is.Needs, "fail_reason": nil, "host": s.Host, "service": s.BackupService(),
		"store": s.BackupStore, "container": is.Container, "availability_zone": s.AvailabilityZone}
	if is.Needs == nil {
		set["needs"] = []string{}
	}
	if is.Origin != nil {
		set["origin"] = *is.Origin
	}
	if b.DataTimestamp == nil {
		set["data_timestamp"] = is.At
	}
	b.Store, b.Container = &s.BackupStore, &is.Container
	others, err := t.lyingThere(ctx, b)
	if err == nil && slices.ContainsFunc(others, func(status string) bool { return status == BackupDeleting || status == BackupErrorDeleting }) {
		err = fault.New(fault.Invalid, "it is being deleted from the store")
	}
	if err != nil {
		return err
	}
	_, err = t.MoveBackupAt(ctx, b, BackupCreateDone, "", set)
	return err
}
