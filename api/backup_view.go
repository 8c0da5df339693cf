package api

import "clinker/db"

// backupOwnership lets a caller see whose a backup is.
const backupOwnership = "backup:backup_project_attribute"

// backupSummary has the fields of backup.summary (fields.tsv).
func (c *Call) backupSummary(o object, b db.Backup) {
	o.str("id", b.ID)
	o.text("name", b.Name)
	c.links(o, "/backups", b.ID)
}

// backupDetail has the fields of backup.detail. owned adds those that tell whose
// it is.
func (c *Call) backupDetail(o object, b db.Backup, owned bool) {
	o.str("id", b.ID)
	o.str("status", b.Status)
	o.int("size", b.SizeGiB)
	o.int("object_count", b.ObjectCount)
	o.text("availability_zone", b.AvailabilityZone)
	o.text("container", b.Container)
	o.time("created_at", b.CreatedAt)
	o.when("updated_at", b.UpdatedAt)
	o.text("name", b.Name)
	o.text("description", b.Description)
	o.text("fail_reason", b.FailReason)
	o.str("volume_id", b.VolumeID)
	c.links(o, "/backups", b.ID)
	o.bool("is_incremental", b.ParentID != nil)
	o.bool("has_dependent_backups", b.Dependents > 0)
	o.text("snapshot_id", b.SnapshotID)
	o.when("data_timestamp", b.DataTimestamp)
	if c.Since(43) {
		o.strings("metadata", b.Metadata)
	}
	if c.Since(64) && b.EncryptionKeyID != nil {
		o.str("encryption_key_id", *b.EncryptionKeyID)
	}
	if c.Since(18) && owned {
		o.str("os-backup-project-attr:project_id", b.ProjectID)
	}
	if c.Since(56) && owned {
		o.str("user_id", b.UserID)
	}
}

func (c *Call) backupAnswer(b db.Backup) View {
	return func(o object) {
		o.object("backup", func(o object) { c.backupSummary(o, b) })
	}
}
