package db

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"clinker/internal/fault"
)

// ByAdministratorAgain is what the history says of work that an administrator has
// begun anew.
const ByAdministratorAgain = "begun anew by an administrator"

// CreateAgain: an administrator has a creation that failed begun anew.
var CreateAgain = Move{"create again", []string{"error"}, "creating"}

// EnqueueAgain adds a job of the kind and with the arguments of another.
func (t *Tx) EnqueueAgain(_ context.Context, j Job) error {
	t.later(enqueueSQL, j.Kind, string(j.Args), river.MaxAttemptsDefault)
	t.enqueued = true
	return nil
}

// RestoreAgain has a backup written again over the volume that it was written over
// last. Conflict when that volume is not in error_restoring, or another backup was
// restored to it since.
func (t *Tx) RestoreAgain(ctx context.Context, backupID string) error {
	none := fault.New(fault.Conflict, "Backup %s is gone, or the volume that it was restored to.", backupID)
	volume, err := first(ctx, t, pgx.RowTo[string], none,
		"SELECT restore_volume_id::text FROM backups WHERE id = $1 AND deleted_at IS NULL AND restore_volume_id IS NOT NULL", backupID)
	if err != nil {
		return err
	}
	last, err := t.resumeRestore(ctx, Volume{ID: volume})
	if err == nil && last != backupID {
		err = fault.New(fault.Conflict, "Backup %s was restored to volume %s after backup %s.", last, volume, backupID)
	}
	return err
}

// BeginAgain moves a volume back to where its job begins. Conflict when it is not
// where that ended: to be created again, it must never have been made.
func (t *Tx) BeginAgain(ctx context.Context, id string, m Move) error {
	v, err := t.MoveVolume(ctx, id, m, ByAdministratorAgain, nil)
	if err == nil && m.To == "creating" && (v.LaunchedAt != nil || v.PoolID != nil) {
		err = fault.New(fault.Conflict, "Volume %s has been made before; what is on it would be lost.", id)
	}
	return err
}
