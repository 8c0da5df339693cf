package db

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// SnapshotUse is the use of quota that one snapshot means: sign 1 to reserve it,
// -1 to give it back. Its GiB count with those of volumes unless the operator
// has set no_snapshot_gb_quota when it was taken; the row remembers.
func SnapshotUse(s Snapshot, typeName string, sign int) []Delta {
	use := []Delta{{QuotaSnapshots, sign}, {QuotaSnapshots + "_" + typeName, sign}}
	if s.QuotaGiB > 0 {
		use = append(use, GrowthUse(sign*s.QuotaGiB, typeName)...)
	}
	return use
}

var insertSnapshotSQL = snapshots.insert()

// InsertSnapshot writes a new snapshot, in status creating, and its quota. What
// it has from its volume (size, type, pool, image metadata) is read from the
// volume, which is kept as it is until the transaction ends: it cannot be
// deleted, extended or reverted meanwhile. Invalid, in Cinder's words, when the
// volume is in none of the statuses. withGiB counts its size in gigabytes.
func (t *Tx) InsertSnapshot(ctx context.Context, s *Snapshot, statuses []string, withGiB bool, limits Limits) error {
	v, err := t.lockForSnapshot(ctx, s.VolumeID, statuses)
	if err != nil {
		return err
	}
	t.NotFrozen(v.PoolID)
	s.Status, s.Generation, s.Progress, s.ConsumesQuota = SnapshotCreating, 1, "0%", true
	s.SizeGiB, s.VolumeTypeID, s.PoolID, s.EncryptionKeyID = v.SizeGiB, v.VolumeTypeID, v.PoolID, v.EncryptionKeyID
	s.Bootable, s.ImageMetadata = v.Bootable, v.ImageMetadata
	if withGiB {
		s.QuotaGiB = v.SizeGiB
	}
	s.CreatedAt = t.Now()
	t.later(insertSnapshotSQL, values(s.fields())...)
	movedSnapshots.begin(t, s.ID, s.Generation, s.Status)
	return t.Use(ctx, s.ProjectID, SnapshotUse(*s, v.VolumeType, 1), limits)
}

// lockForSnapshot reads a volume and keeps it, and the name of its type, as they
// are. A volume that has got another type while it was waited for does not meet
// the one it was read with, and is read again.
func (t *Tx) lockForSnapshot(ctx context.Context, id string, statuses []string) (Volume, error) {
	if !ValidID(id) {
		return Volume{}, VolumeNotFound(id)
	}
	var b builder
	lock := "SELECT " + volumes.columns + " FROM " + volumes.from + " WHERE " + t.live(&b, "v", id) + " FOR UPDATE OF v FOR KEY SHARE OF t"
	v, err := first(ctx, t, scanVolume, VolumeNotFound(id), lock, b.args...)
	if fault.Is(err, fault.NotFound) {
		v, err = first(ctx, t, scanVolume, VolumeNotFound(id), lock, b.args...)
	}
	switch {
	case err != nil:
		return v, err
	case v.Status == "maintenance":
		return v, fault.New(fault.Invalid, "Invalid volume: The snapshot cannot be created when the volume is in maintenance mode.")
	case migrating(v):
		return v, fault.New(fault.Invalid, "Invalid volume: Snapshot cannot be created while volume is migrating.")
	case !slices.Contains(statuses, v.Status):
		return v, fault.New(fault.Invalid, "Invalid volume: Volume %s status must be %s, but current status is: %s.",
			id, strings.Join(statuses, ", "), v.Status)
	case v.PoolID == nil:
		return v, fault.New(fault.Invalid, "Invalid volume: The snapshot cannot be created because volume has not been scheduled to any host.")
	}
	return v, nil
}

// migrating tells whether a volume is on its way to another pool
// (Cinder's _is_volume_migrating).
func migrating(v Volume) bool {
	return v.MigrationStatus != nil && !slices.Contains([]string{"none", "success", "error", "deleting"}, *v.MigrationStatus)
}

// FinishSnapshot: the node has the snapshot. Conflict when s is not the row as
// it is now; then s must be read again.
func (d *DB) FinishSnapshot(ctx context.Context, s Snapshot) error {
	return d.once(ctx, func(t *Tx) error {
		_, err := t.MoveSnapshotAt(ctx, s, SnapshotCreateDone, "", map[string]any{"progress": "100%"})
		return err
	})
}

// FailSnapshot ends a creation that did not succeed and gives back the claim.
// The row stays, and counts in the quota until it is deleted, as in Cinder.
// Conflict as for FinishSnapshot.
func (t *Tx) FailSnapshot(ctx context.Context, s Snapshot, reason string) error {
	_, err := t.leaveSnapshotPool(ctx, s.ID, s.Generation, SnapshotCreateFailed, reason, map[string]any{})
	return err
}

// noneBeingTaken is nil when no snapshot of a volume is on its way: one that was
// taken of the volume after it has grown would be longer than its row says.
func (t *Tx) noneBeingTaken(ctx context.Context, volumeID string) error {
	one, err := first(ctx, t, pgx.RowTo[bool], nil, `SELECT EXISTS (SELECT 1 FROM snapshots WHERE volume_id = $1
		AND deleted_at IS NULL AND status = 'creating')`, volumeID)
	if err == nil && one {
		err = fault.New(fault.Conflict, "A snapshot of volume %s is being taken; try again when it is available.", volumeID)
	}
	return err
}
