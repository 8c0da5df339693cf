package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// FinishDelete ends a volume that its node has no more, or that never had a
// node: the row leaves every list, its quota and its place in the pool are
// given back, all at once. May be repeated: the second time it is NotFound.
func (t *Tx) FinishDelete(ctx context.Context, v Volume) error {
	var typeName string
	t.askTypeName(&typeName, "volumes", v.ID)
	gone, err := t.MoveVolume(ctx, v.ID, DeleteDone, "", map[string]any{"deleted_at": t.Now()})
	if err != nil {
		return err
	}
	if err := t.Unclaim(ctx, v.ID, 0); err != nil {
		return err
	}
	t.releaseKey(gone.EncryptionKeyID)
	if !gone.ConsumesQuota {
		return nil
	}
	// A volume that was to grow counts its target already.
	return t.Use(ctx, gone.ProjectID, VolumeUse(max(gone.SizeGiB, deref(gone.TargetSizeGiB)), typeName, -1), nil)
}

// Dependents are what keeps a volume from being deleted.
type Dependents struct{ Attachments, Snapshots bool }

// AskDependents keeps others out of a volume, as TouchAttachments does, and tells
// whether it has live attachments and snapshots: with the next statement, which
// is the volume's MoveVolume.
func (t *Tx) AskDependents(ctx context.Context, id string, has *Dependents) {
	t.lockVolume(id)
	t.ask([]any{&has.Attachments, &has.Snapshots}, `SELECT
		EXISTS (SELECT 1 FROM attachments WHERE volume_id = $1 AND deleted_at IS NULL),
		EXISTS (SELECT 1 FROM snapshots WHERE volume_id = $1 AND deleted_at IS NULL)`, id)
}

// typeName reads a type's name, also of one that has been deleted since, and
// keeps it until the transaction ends: quota is counted under it (type_lock.go).
func (t *Tx) typeName(ctx context.Context, id string) (string, error) {
	return first(ctx, t, pgx.RowTo[string], typeNotFound(id), "SELECT name FROM volume_types WHERE id = $1 FOR KEY SHARE", id)
}

// askTypeName is typeName for a row of volumes or snapshots. It comes before the
// row's move, and goes with it. The row is locked with it: whoever gives it
// another type (a retype) is before this or behind.
func (t *Tx) askTypeName(name *string, table, id string) {
	t.ask([]any{name}, `SELECT COALESCE((SELECT t.name FROM volume_types t
		WHERE t.id = (SELECT volume_type_id FROM `+table+` WHERE id = $1 FOR UPDATE) FOR KEY SHARE), '')`, id)
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
