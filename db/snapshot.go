package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/clause"

	"clinker/internal/fault"
)

// Snapshot is a row of snapshots. Its status changes only through
// Tx.MoveSnapshot.
type Snapshot struct {
	ID              string
	VolumeID        string
	ProjectID       string
	UserID          string
	Name            *string
	Description     *string
	SizeGiB         int `gorm:"column:size_gib"`  // of the volume when it was taken
	QuotaGiB        int `gorm:"column:quota_gib"` // what it counts in the quota of gigabytes
	Status          string
	Progress        string // as 40%
	Generation      int64  // raised by each transition; fences the node's operations
	VolumeTypeID    string
	PoolID          *string // its volume's
	ClaimedBytes    int64   // what this row counts in its pool's allocated_bytes
	Metadata        StringMap
	Bootable        bool      // both as the volume had them
	ImageMetadata   StringMap //
	GroupSnapshotID *string
	EncryptionKeyID *string
	ProviderID      *string
	ConsumesQuota   bool
	RequestID       string
	CreatedAt       time.Time
	UpdatedAt       *time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt       *time.Time
}

// The statuses of a snapshot, Cinder's.
const (
	SnapshotCreating      = "creating"
	SnapshotAvailable     = "available"
	SnapshotDeleting      = "deleting"
	SnapshotRestoring     = "restoring"
	SnapshotError         = "error"
	SnapshotErrorDeleting = "error_deleting"
)

// ofVolume is a column of the snapshot's volume. Only lists that filter by it
// pay for it.
func ofVolume(column string) string {
	return "(SELECT v." + column + " FROM volumes v WHERE v.id = s.volume_id)"
}

var snapshots = table{
	from: "snapshots s",
	live: "s.deleted_at IS NULL", listed: "s.user_id >= ''",
	columns: `s.id, s.volume_id, s.project_id, s.user_id, s.name, s.description, s.size_gib, s.quota_gib, s.status,
		s.progress, s.generation, s.volume_type_id, s.pool_id, s.claimed_bytes, s.metadata, s.bootable,
		s.image_metadata, s.group_snapshot_id, s.encryption_key_id, s.provider_id, s.consumes_quota,
		s.request_id, s.created_at, s.updated_at, s.deleted_at`,
	byName: map[string]column{
		"id": uuidColumn("s.id"), "volume_id": uuidColumn("s.volume_id"),
		"project_id": textColumn("s.project_id"), "user_id": textColumn("s.user_id"),
		"display_name":        textColumn("s.name").nullable(),
		"display_description": textColumn("s.description").nullable(),
		"volume_size":         intColumn("s.size_gib"), "status": textColumn("s.status"),
		"progress": textColumn("s.progress"), "volume_type_id": uuidColumn("s.volume_type_id"),
		"metadata":          mapColumn("s.metadata"),
		"group_snapshot_id": uuidColumn("s.group_snapshot_id").nullable(),
		"encryption_key_id": uuidColumn("s.encryption_key_id").nullable(),
		"provider_id":       textColumn("s.provider_id").nullable(),
		"consumes_quota":    boolColumn("s.consumes_quota"),
		"created_at":        timeColumn("s.created_at"),
		"updated_at":        timeColumn("s.updated_at").nullable(),
		"availability_zone": textColumn(ofVolume("availability_zone")),
		"host":              textColumn(ofVolume("host")).nullable(),
	},
}

func scanSnapshot(row pgx.CollectableRow) (Snapshot, error) {
	var s Snapshot
	return s, row.Scan(s.fields()...)
}

// fields are where the table's columns go, in their order.
func (s *Snapshot) fields() []any {
	return []any{&s.ID, &s.VolumeID, &s.ProjectID, &s.UserID, &s.Name, &s.Description, &s.SizeGiB, &s.QuotaGiB,
		&s.Status, &s.Progress, &s.Generation, &s.VolumeTypeID, &s.PoolID, &s.ClaimedBytes, &s.Metadata, &s.Bootable,
		&s.ImageMetadata, &s.GroupSnapshotID, &s.EncryptionKeyID, &s.ProviderID, &s.ConsumesQuota,
		&s.RequestID, &s.CreatedAt, &s.UpdatedAt, &s.DeletedAt}
}

// Snapshots gives one page of live snapshots.
func (d *DB) Snapshots(ctx context.Context, q Query) ([]Snapshot, error) {
	return page(ctx, d, snapshots, q, each(scanSnapshot))
}

// CountSnapshots counts the live snapshots that the query's conditions meet,
// without its page.
func (d *DB) CountSnapshots(ctx context.Context, q Query) (int, error) {
	return count(ctx, d, snapshots, q)
}

// Snapshot gives a live snapshot. scope limits it to one project; empty for
// all. NotFound when there is none, also when id is no UUID.
func (d *DB) Snapshot(ctx context.Context, id, scope string) (Snapshot, error) {
	return one(ctx, d, snapshots, id, scope, scanSnapshot, SnapshotNotFound)
}

// SnapshotNotFound is what Cinder says of a snapshot that a caller cannot see.
func SnapshotNotFound(id string) error {
	return fault.New(fault.NotFound, "Snapshot %s could not be found.", id)
}

// LatestSnapshot gives the newest live snapshot of a volume, whatever its
// status. NotFound when there is none.
func (d *DB) LatestSnapshot(ctx context.Context, volumeID string) (Snapshot, error) {
	found, err := d.Snapshots(ctx, Query{
		Where: []Condition{{sql: "s.volume_id = ?", args: []any{volumeID}}},
		Sort:  []Sort{{Key: "created_at", Desc: true}}, Limit: 1,
	})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "Volume %s doesn't have any snapshots.", volumeID)
	}
	if err != nil {
		return Snapshot{}, err
	}
	return found[0], nil
}

// UpdateSnapshot writes columns that are no status: a name, a description. It
// gives the row as it is then; NotFound when it is gone.
func (t *Tx) UpdateSnapshot(ctx context.Context, id string, set map[string]any) (Snapshot, error) {
	var s Snapshot
	set["updated_at"] = t.Now()
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Model(&s).Clauses(clause.Returning{}).Where(where, args...).Updates(set)
	if result.Error == nil && result.RowsAffected == 0 {
		return s, SnapshotNotFound(id)
	}
	return s, result.Error
}
