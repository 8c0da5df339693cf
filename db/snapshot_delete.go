package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// BeginSnapshotDelete starts the deletion of a snapshot, or ends it at once
// where no node has it. m is SnapshotDeleteBegin or SnapshotForceDelete.
// Conflict when its status does not allow it, or when it is part of a group
// snapshot: the transaction must then be given up.
func (t *Tx) BeginSnapshotDelete(ctx context.Context, id string, m Move, request string) error {
	s, err := t.MoveSnapshot(ctx, id, m, "", nil)
	if err != nil {
		return err
	}
	t.NotFrozen(s.PoolID)
	if s.GroupSnapshotID != nil {
		return fault.New(fault.Conflict, "Snapshot %s is part of a group snapshot.", id)
	}
	if s.PoolID == nil {
		return t.FinishSnapshotDelete(ctx, s)
	}
	return t.Enqueue(ctx, SnapshotDeleteArgs{SnapshotID: id, Request: request})
}

// CascadeDelete starts the deletion of all snapshots of a volume that is being
// deleted; those on their way already go on. Conflict when one is in a status
// that does not allow it, or when it is another project's, which gave the volume
// away without it: the transaction must then be given up. Call it behind the
// MoveVolume of the volume.
func (t *Tx) CascadeDelete(ctx context.Context, volumeID, request string) error {
	foreign, err := first(ctx, t, pgx.RowTo[bool], nil, `SELECT EXISTS (SELECT 1 FROM snapshots s JOIN volumes v ON v.id = s.volume_id
		WHERE s.volume_id = $1 AND s.deleted_at IS NULL AND s.project_id <> v.project_id)`, volumeID)
	if err == nil && foreign {
		err = fault.New(fault.Conflict, "Volume %s has snapshots of the project that it came from.", volumeID)
	}
	if err != nil {
		return err
	}
	found, err := all(ctx, t, scanSnapshot, "SELECT "+snapshots.columns+` FROM snapshots s
		WHERE s.volume_id = $1 AND s.deleted_at IS NULL ORDER BY s.id FOR UPDATE`, volumeID)
	if err != nil {
		return err
	}
	for _, s := range found {
		if s.Status == SnapshotDeleting && s.GroupSnapshotID == nil {
			continue
		}
		if err := t.BeginSnapshotDelete(ctx, s.ID, SnapshotCascade, request); err != nil {
			return err
		}
	}
	return nil
}

// HasSnapshots tells whether a volume has live snapshots. Call it behind a
// MoveVolume of the volume, which keeps new ones out.
func (t *Tx) HasSnapshots(ctx context.Context, volumeID string) (bool, error) {
	return first(ctx, t, pgx.RowTo[bool], nil,
		"SELECT EXISTS (SELECT 1 FROM snapshots WHERE volume_id = $1 AND deleted_at IS NULL)", volumeID)
}

// SnapshotsLeft is how many live snapshots a volume has, how many of them are
// being deleted, and how many will be when their node is back.
type SnapshotsLeft struct{ All, Deleting, Interrupted int }

// SnapshotsLeft counts them; interrupted is what the history says of the last.
func (d *DB) SnapshotsLeft(ctx context.Context, volumeID, interrupted string) (left SnapshotsLeft, err error) {
	err = d.pool.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE s.status = 'deleting'),
			count(*) FILTER (WHERE s.status = 'error_deleting' AND h.reason = $2)
		FROM snapshots s LEFT JOIN snapshot_history h ON h.snapshot_id = s.id AND h.generation = s.generation
		WHERE s.volume_id = $1 AND s.deleted_at IS NULL`, volumeID, interrupted).Scan(&left.All, &left.Deleting, &left.Interrupted)
	return left, err
}

// SnapshotCopied tells whether volumes are being made of a snapshot: it must not
// be taken away before they are.
func (d *DB) SnapshotCopied(ctx context.Context, id string) (bool, error) {
	var copied bool
	err := d.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM volumes WHERE snapshot_id = $1
		AND deleted_at IS NULL AND snapshot_id IS NOT NULL AND status IN ('creating', 'downloading'))`, id).Scan(&copied)
	return copied, err
}

// HoldSnapshot keeps a snapshot from being deleted until the transaction ends,
// for who makes a volume of it. Invalid, in Cinder's words, when it is not
// available; NotFound when it is gone.
func (t *Tx) HoldSnapshot(ctx context.Context, id string) (Snapshot, error) {
	s, err := first(ctx, t, scanSnapshot, SnapshotNotFound(id),
		"SELECT "+snapshots.columns+" FROM snapshots s WHERE s.id = $1 AND s.deleted_at IS NULL FOR SHARE", id)
	if err != nil {
		return s, err
	}
	return s, s.Usable()
}

// Usable is nil when a volume can be made of the snapshot; else it is Invalid in
// Cinder's words.
func (s Snapshot) Usable() error {
	if s.Status != SnapshotAvailable {
		return fault.New(fault.Invalid, "Invalid snapshot: Originating snapshot status must be one of 'available' values, but current status is: %s.", s.Status)
	}
	return nil
}

// FinishSnapshotDelete ends a snapshot that its node has no more: the row leaves
// every list, its quota and its place in the pool are given back, all at once.
// May be repeated: the second time it is NotFound.
func (t *Tx) FinishSnapshotDelete(ctx context.Context, s Snapshot) error {
	var typeName string
	t.askTypeName(&typeName, "snapshots", s.ID)
	gone, err := t.leaveSnapshotPool(ctx, s.ID, 0, SnapshotDeleteDone, "", map[string]any{"deleted_at": t.Now()})
	if err != nil || !gone.ConsumesQuota {
		return err
	}
	return t.Use(ctx, gone.ProjectID, SnapshotUse(gone, typeName, -1), nil)
}
