package db

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/clause"

	"clinker/internal/fault"
)

// Volume is a row of volumes. Its status changes only through Tx.MoveVolume.
type Volume struct {
	ID                string
	ProjectID         string
	UserID            string
	Name              *string
	Description       *string
	SizeGiB           int `gorm:"column:size_gib"`
	Status            string
	MigrationStatus   *string
	Generation        int64 // raised by each transition; fences the node's operations
	TargetSizeGiB     *int  `gorm:"column:target_size_gib"` // while extending
	VolumeTypeID      string
	VolumeType        string `gorm:"->;-:migration"` // the type's name; read by the queries that join it
	AvailabilityZone  string
	PoolID            *string
	ClaimedBytes      int64   // what this row counts in its pool's allocated_bytes
	Host              *string // host@backend#pool
	ServiceID         *string
	Bootable          bool
	Multiattach       bool
	Held              bool // kept by os-reserve for an attachment to come
	Metadata          StringMap
	AdminMetadata     StringMap
	ImageMetadata     StringMap
	SnapshotID        *string
	SourceVolid       *string
	ImageID           *string // of the image that it is made from
	BackupID          *string // of the backup that it is made from
	GroupID           *string
	Consistency       bool `gorm:"-"` // its group is a consistency group; read by the queries that join it
	EncryptionKeyID   *string
	ReplicationStatus *string
	ProviderID        *string
	NameID            *string // what bears it on its node is named after this id; nil: after its own
	ConsumesQuota     bool
	RequestID         string
	LaunchedAt        *time.Time
	CreatedAt         time.Time
	UpdatedAt         *time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt         *time.Time
}

// StorageID is the id by which the volume's node knows it.
func (v Volume) StorageID() string {
	if v.NameID != nil {
		return *v.NameID
	}
	return v.ID
}

// TableName is GORM's.
func (Volume) TableName() string { return "volumes" }

// ofConsistencyGroup tells whether the volume's group, if any, is what the older
// API calls a consistency group.
const ofConsistencyGroup = `CASE WHEN v.group_id IS NULL THEN false ELSE COALESCE((SELECT gt.name = '` + ConsistencyType + `'
	FROM groups g JOIN group_types gt ON gt.id = g.group_type_id WHERE g.id = v.group_id), false) END`

// attachStatusOfVolume is what Cinder notes in a column of volumes.
const attachStatusOfVolume = `CASE WHEN EXISTS (SELECT FROM attachments a WHERE a.volume_id = v.id
	AND a.deleted_at IS NULL AND a.attach_status = 'attached') THEN 'attached' ELSE 'detached' END`

// volumes describes the table to the list builder. The type's name is joined,
// so that a list needs no statement for it.
var volumes = table{
	from: "volumes v JOIN volume_types t ON t.id = v.volume_type_id",
	live: "v.deleted_at IS NULL", listed: "v.user_id >= ''",
	columns: `v.id, v.project_id, v.user_id, v.name, v.description, v.size_gib, v.status,
		v.migration_status, v.generation, v.target_size_gib, v.volume_type_id, t.name,
		v.availability_zone, v.pool_id, v.claimed_bytes, v.host, v.service_id, v.bootable,
		v.multiattach, v.held, v.metadata, v.admin_metadata, v.image_metadata, v.snapshot_id,
		v.source_volid, v.image_id, v.backup_id, v.group_id, v.encryption_key_id, v.replication_status, v.provider_id,
		v.name_id, v.consumes_quota, v.request_id, v.launched_at, v.created_at, v.updated_at, v.deleted_at, ` + ofConsistencyGroup,
	byName: map[string]column{
		"id": uuidColumn("v.id"), "project_id": textColumn("v.project_id"),
		"user_id": textColumn("v.user_id"), "display_name": textColumn("v.name").nullable().sortedAs("COALESCE(v.name, '')"),
		"display_description": textColumn("v.description").nullable(),
		"size":                intColumn("v.size_gib"), "status": textColumn("v.status"),
		"migration_status":  textColumn("v.migration_status").nullable(),
		"volume_type_id":    uuidColumn("v.volume_type_id"),
		"availability_zone": textColumn("v.availability_zone"),
		"host":              textColumn("v.host").nullable(),
		"service_uuid":      uuidColumn("v.service_id").nullable(),
		"bootable":          boolColumn("v.bootable"), "multiattach": boolColumn("v.multiattach"),
		"snapshot_id":        uuidColumn("v.snapshot_id").nullable(),
		"source_volid":       uuidColumn("v.source_volid").nullable(),
		"group_id":           uuidColumn("v.group_id").nullable(),
		"encryption_key_id":  uuidColumn("v.encryption_key_id").nullable(),
		"replication_status": textColumn("v.replication_status").nullable(),
		"provider_id":        textColumn("v.provider_id").nullable(),
		"consumes_quota":     boolColumn("v.consumes_quota"),
		"metadata":           mapColumn("v.metadata"),
		"glance_metadata":    mapColumn("v.image_metadata"),
		"attach_status":      textColumn(attachStatusOfVolume),
		"launched_at":        timeColumn("v.launched_at").nullable(),
		"created_at":         timeColumn("v.created_at"),
		"updated_at":         timeColumn("v.updated_at").nullable(),
	},
}

// scanVolume reads the columns of volumes in their order. By hand, since a
// list of a thousand spends most of its time here.
func scanVolume(row pgx.CollectableRow) (Volume, error) {
	var v Volume
	return v, row.Scan(v.fields()...)
}

// fields are where the table's columns go, in their order.
func (v *Volume) fields() []any {
	return []any{&v.ID, &v.ProjectID, &v.UserID, &v.Name, &v.Description, &v.SizeGiB, &v.Status,
		&v.MigrationStatus, &v.Generation, &v.TargetSizeGiB, &v.VolumeTypeID, &v.VolumeType,
		&v.AvailabilityZone, &v.PoolID, &v.ClaimedBytes, &v.Host, &v.ServiceID, &v.Bootable,
		&v.Multiattach, &v.Held, &v.Metadata, &v.AdminMetadata, &v.ImageMetadata, &v.SnapshotID,
		&v.SourceVolid, &v.ImageID, &v.BackupID, &v.GroupID, &v.EncryptionKeyID, &v.ReplicationStatus, &v.ProviderID,
		&v.NameID, &v.ConsumesQuota, &v.RequestID, &v.LaunchedAt, &v.CreatedAt, &v.UpdatedAt, &v.DeletedAt, &v.Consistency}
}

// Volume gives a live volume. scope limits it to one project; empty for all.
// NotFound when there is none, also when id is no UUID.
func (d *DB) Volume(ctx context.Context, id, scope string) (Volume, error) {
	return one(ctx, d, volumes, id, scope, scanVolume, VolumeNotFound)
}

// VolumeNotFound is what Cinder says of a volume that a caller cannot see.
func VolumeNotFound(id string) error {
	return fault.New(fault.NotFound, "Volume %s could not be found.", id)
}

var insertVolumeSQL = volumes.insert()

// InsertVolume writes a new volume as it stands, and begins its history.
func (t *Tx) InsertVolume(ctx context.Context, v *Volume) error {
	if v.CreatedAt.IsZero() {
		v.CreatedAt = t.Now()
	}
	own := slices.DeleteFunc(v.fields(), func(field any) bool { return field == &v.VolumeType || field == &v.Consistency })
	t.later(insertVolumeSQL, values(own)...)
	movedVolumes.begin(t, v.ID, v.Generation, v.Status)
	return nil
}

// UpdateVolume writes columns that are no status: a name, a flag, metadata. It
// gives the row as it is then; NotFound when it is gone.
func (t *Tx) UpdateVolume(ctx context.Context, id string, set map[string]any) (Volume, error) {
	var v Volume
	set["updated_at"] = t.Now()
	where, args := t.within("id = ? AND deleted_at IS NULL", []any{id}, "project_id")
	result := t.gorm.Model(&v).Clauses(clause.Returning{}).Where(where, args...).Updates(set)
	if result.Error != nil {
		return v, result.Error
	}
	if result.RowsAffected == 0 {
		return v, VolumeNotFound(id)
	}
	return v, nil
}
