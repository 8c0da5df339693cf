package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// volumesShown is volumes without the columns that only jobs need: of a long
// list, every column counts.
var volumesShown = func() table {
	t := volumes
	t.columns = `v.id, v.project_id, v.user_id, v.name, v.description, v.size_gib, v.status,
		v.migration_status, v.volume_type_id, t.name, v.availability_zone, v.host, v.service_id,
		v.bootable, v.multiattach, v.metadata, v.admin_metadata, v.image_metadata, v.snapshot_id,
		v.source_volid, v.group_id, v.encryption_key_id, v.replication_status, v.provider_id, v.name_id,
		v.consumes_quota, v.created_at, v.updated_at, ` + ofConsistencyGroup
	return t
}()

// readShown reads the rows of volumesShown through one Volume, so that a row
// costs no memory but what it keeps.
func readShown(rows pgx.Rows) ([]Volume, error) {
	defer rows.Close()
	var v Volume
	into := v.shown()
	var all []Volume
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// shown are where the columns of volumesShown go, in their order.
func (v *Volume) shown() []any {
	return []any{&v.ID, same{&v.ProjectID}, same{&v.UserID}, &v.Name, &v.Description, &v.SizeGiB, same{&v.Status},
		&v.MigrationStatus, &v.VolumeTypeID, same{&v.VolumeType}, same{&v.AvailabilityZone}, &v.Host, &v.ServiceID,
		&v.Bootable, &v.Multiattach, &v.Metadata, &v.AdminMetadata, &v.ImageMetadata, &v.SnapshotID,
		&v.SourceVolid, &v.GroupID, &v.EncryptionKeyID, &v.ReplicationStatus, &v.ProviderID, &v.NameID,
		&v.ConsumesQuota, &v.CreatedAt, &v.UpdatedAt, &v.Consistency}
}

// same reads a text that is often the same in the next row, and is then not
// copied again.
type same struct{ text *string }

// ScanBytes is pgx's.
func (s same) ScanBytes(raw []byte) error {
	if *s.text != string(raw) {
		*s.text = string(raw)
	}
	return nil
}

// Volumes gives one page of live volumes with what lists show of them: the
// columns of jobs (Generation, PoolID, ClaimedBytes, TargetSizeGiB, RequestID,
// LaunchedAt, DeletedAt) are left out.
func (d *DB) Volumes(ctx context.Context, q Query) ([]Volume, error) {
	return page(ctx, d, volumesShown, q, readShown)
}

// CountVolumes counts the live volumes that the query's conditions meet,
// without its page.
func (d *DB) CountVolumes(ctx context.Context, q Query) (int, error) {
	return count(ctx, d, volumes, q)
}
