package db

import "context"

// FinishCreate: the volume is on its node. Conflict when v is not the row as it
// is now (deleted meanwhile, or placed anew); then v must be read again.
func (d *DB) FinishCreate(ctx context.Context, v Volume) error {
	return d.once(ctx, func(t *Tx) error {
		_, err := t.MoveVolumeAt(ctx, v, CreateDone, "", map[string]any{"launched_at": t.Now()})
		return err
	})
}

// LeavePool gives back the claim of a volume whose pool did not serve. Conflict
// as for FinishCreate.
func (t *Tx) LeavePool(ctx context.Context, v Volume, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, PlaceAgain, reason, nil); err != nil {
		return err
	}
	return t.Unclaim(ctx, v.ID, 0)
}

// FailCreate ends a creation for which no pool is left. The row stays, and
// counts in the quota until it is deleted, as in Cinder. Conflict as for
// FinishCreate.
func (t *Tx) FailCreate(ctx context.Context, v Volume, reason string) error {
	if _, err := t.MoveVolumeAt(ctx, v, CreateFailed, reason, nil); err != nil {
		return err
	}
	return t.Unclaim(ctx, v.ID, 0)
}

// HoldSources keeps what a new volume is made of from being deleted until the
// transaction ends. Invalid, in Cinder's words, when it cannot be used any more;
// NotFound when it is gone.
func (t *Tx) HoldSources(ctx context.Context, v Volume) error {
	if v.SnapshotID != nil {
		if _, err := t.HoldSnapshot(ctx, *v.SnapshotID); err != nil {
			return err
		}
	}
	if v.BackupID != nil {
		if _, err := t.HoldBackup(ctx, *v.BackupID); err != nil {
			return err
		}
	}
	return nil
}
