package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// Backup is a row of backups. Its status changes only through Tx.MoveBackup.
type Backup struct {
	ID               string
	VolumeID         string
	ProjectID        string
	UserID           string
	Name             *string
	Description      *string
	SizeGiB          int // of the volume
	Status           string
	FailReason       *string
	Generation       int64 // raised by each transition; fences the node's operations
	AvailabilityZone *string
	Host             *string // the node that has last worked on it
	Service          *string // the driver; nil until a node was asked to make it
	Store            *string // the store it lies in, likewise
	Container        *string
	DataID           *string // of an imported one: the id that it lies there under, if not its own
	ParentID         *string // the backup that an incremental one adds to
	SnapshotID       *string // what it was made of, if not of the volume itself
	RestoreVolumeID  *string // the volume that it was restored to last
	DataTimestamp    *time.Time
	ObjectCount      int
	ServiceMetadata  *string
	Metadata         StringMap
	Origin           Origin
	EncryptionKeyID  *string
	Imported         bool // written by an import, and not made here
	RequestID        string
	CreatedAt        time.Time
	UpdatedAt        *time.Time
	DeletedAt        *time.Time

	Dependents int // backups that add to this one; counted by the queries
}

// StoredID is the id under which the backup lies in its store.
func (b Backup) StoredID() string {
	if b.DataID != nil {
		return *b.DataID
	}
	return b.ID
}

// Origin is what a volume was beside its bytes when it was backed up. A restored
// one becomes so again.
type Origin struct {
	Name          *string   `json:"name,omitempty"`
	Description   *string   `json:"description,omitempty"`
	Metadata      StringMap `json:"metadata,omitempty"`
	ImageMetadata StringMap `json:"image_metadata,omitempty"`
	Bootable      bool      `json:"bootable,omitempty"`

	// How its bytes are encrypted; nil of a volume that is not, and of a backup that
	// an older program made.
	Encryption *Encryption `json:"encryption,omitempty"`
}

// The statuses of a backup, Cinder's.
const (
	BackupCreating      = "creating"
	BackupAvailable     = "available"
	BackupRestoring     = "restoring"
	BackupDeleting      = "deleting"
	BackupError         = "error"
	BackupErrorDeleting = "error_deleting"
)

// dependentBackups counts as Cinder does: those that are being made, or were
// not, are none yet.
const dependentBackups = `(SELECT count(*) FROM backups d WHERE d.parent_id = b.id AND d.deleted_at IS NULL
	AND d.status <> 'creating' AND d.status <> 'error')`

var backups = table{
	from: "backups b",
	live: "b.deleted_at IS NULL", listed: "b.user_id >= ''",
	columns: `b.id, b.volume_id, b.project_id, b.user_id, b.name, b.description, b.size_gib, b.status, b.fail_reason,
		b.generation, b.availability_zone, b.host, b.service, b.store, b.container, b.data_id, b.parent_id, b.snapshot_id,
		b.restore_volume_id, b.data_timestamp, b.object_count, b.service_metadata, b.metadata, b.origin, b.encryption_key_id,
		b.imported, b.request_id, b.created_at, b.updated_at, b.deleted_at, ` + dependentBackups,
	byName: map[string]column{
		"id": uuidColumn("b.id"), "volume_id": uuidColumn("b.volume_id"),
		"project_id": textColumn("b.project_id"), "user_id": textColumn("b.user_id"),
		"display_name":          textColumn("b.name").nullable(),
		"display_description":   textColumn("b.description").nullable(),
		"size":                  intColumn("b.size_gib"),
		"status":                textColumn("b.status"),
		"fail_reason":           textColumn("b.fail_reason").nullable(),
		"availability_zone":     textColumn("b.availability_zone").nullable(),
		"host":                  textColumn("b.host").nullable(),
		"service":               textColumn("b.service").nullable(),
		"container":             textColumn("b.container").nullable(),
		"parent_id":             uuidColumn("b.parent_id").nullable(),
		"snapshot_id":           uuidColumn("b.snapshot_id").nullable(),
		"restore_volume_id":     uuidColumn("b.restore_volume_id").nullable(),
		"data_timestamp":        timeColumn("b.data_timestamp").nullable(),
		"object_count":          intColumn("b.object_count"),
		"num_dependent_backups": intColumn(dependentBackups),
		"service_metadata":      textColumn("b.service_metadata").nullable(),
		"metadata":              mapColumn("b.metadata"),
		"encryption_key_id":     uuidColumn("b.encryption_key_id").nullable(),
		"created_at":            timeColumn("b.created_at"),
		"updated_at":            timeColumn("b.updated_at").nullable(),
	},
}

func scanBackup(row pgx.CollectableRow) (Backup, error) {
	var b Backup
	return b, row.Scan(append(b.fields(), &b.Dependents)...)
}

// fields are where the table's own columns go, in their order.
func (b *Backup) fields() []any {
	return []any{&b.ID, &b.VolumeID, &b.ProjectID, &b.UserID, &b.Name, &b.Description, &b.SizeGiB, &b.Status, &b.FailReason,
		&b.Generation, &b.AvailabilityZone, &b.Host, &b.Service, &b.Store, &b.Container, &b.DataID, &b.ParentID, &b.SnapshotID,
		&b.RestoreVolumeID, &b.DataTimestamp, &b.ObjectCount, &b.ServiceMetadata, &b.Metadata, &b.Origin, &b.EncryptionKeyID,
		&b.Imported, &b.RequestID, &b.CreatedAt, &b.UpdatedAt, &b.DeletedAt}
}

// Backups gives one page of live backups.
func (d *DB) Backups(ctx context.Context, q Query) ([]Backup, error) {
	return page(ctx, d, backups, q, each(scanBackup))
}

// CountBackups counts the live backups that the query's conditions meet, without
// its page.
func (d *DB) CountBackups(ctx context.Context, q Query) (int, error) {
	return count(ctx, d, backups, q)
}

// Backup gives a live backup. scope limits it to one project; empty for all.
// NotFound when there is none, also when id is no UUID.
func (d *DB) Backup(ctx context.Context, id, scope string) (Backup, error) {
	return one(ctx, d, backups, id, scope, scanBackup, BackupNotFound)
}

// BackupNotFound is what Cinder says of a backup that a caller cannot see.
func BackupNotFound(id string) error {
	return fault.New(fault.NotFound, "Backup %s could not be found.", id)
}

// UpdateBackup writes columns that are no status: a name, metadata. It gives the
// row as it is then; NotFound when it is gone.
func (t *Tx) UpdateBackup(ctx context.Context, id string, set map[string]any) (Backup, error) {
	var b builder
	sql := "UPDATE backups b SET " + b.set([]string{"updated_at = now()"}, set) + " WHERE " + t.live(&b, "b", id) + " RETURNING " + backups.columns
	return first(ctx, t, scanBackup, BackupNotFound(id), sql, b.args...)
}
