package api

import (
	"clinker/db"
)

// volumeView is a volume with what its view shows beside its row.
type volumeView struct {
	db.Volume
	attachments []db.Attachment
	progress    db.Progress // of what copies it; zero where that is not shown
}

// volumeSummary has the fields of volume.summary (fields.tsv).
func (c *Call) volumeSummary(o object, v volumeView) {
	o.str("id", v.ID)
	o.text("name", v.Name)
	c.volumeLinks(o, v.ID)
}

func (c *Call) volumeLinks(o object, id string) { c.links(o, "/volumes", id) }

// volumeVisible is what a caller may see of volumes, asked once a request.
type volumeVisible struct {
	admin, service, tenant, host, migration, image bool
}

func (c *Call) volumeVisible(owner Owner) volumeVisible {
	return volumeVisible{
		admin:     c.Identity.IsAdmin,
		service:   c.Identity.IsServiceRequest(),
		tenant:    c.Can("volume_extension:volume_tenant_attribute", owner),
		host:      c.Can("volume_extension:volume_host_attribute", owner),
		migration: c.Can("volume_extension:volume_mig_status_attribute", owner),
		image:     c.Can("volume_extension:volume_image_metadata:show", owner),
	}
}

// volumeDetail has the fields of volume.detail. extended adds those that show
// and list have and the answers to create and update have not.
func (c *Call) volumeDetail(o object, v volumeView, see volumeVisible, extended bool) {
	o.str("id", v.ID)
	o.str("status", shownStatus(v.Status))
	o.int("size", v.SizeGiB)
	o.str("availability_zone", v.AvailabilityZone)
	o.time("created_at", v.CreatedAt)
	o.when("updated_at", v.UpdatedAt)
	o.text("name", v.Name)
	o.text("description", v.Description)
	o.str("volume_type", v.VolumeType)
	o.text("snapshot_id", v.SnapshotID)
	o.text("source_volid", v.SourceVolid)
	o.strings("metadata", shownMetadata(v, extended))
	c.volumeLinks(o, v.ID)
	o.str("user_id", v.UserID)
	o.boolText("bootable", v.Bootable)
	o.bool("encrypted", v.EncryptionKeyID != nil)
	o.text("replication_status", v.ReplicationStatus)
	if v.Consistency {
		o.text("consistencygroup_id", v.GroupID)
	} else {
		o.null("consistencygroup_id")
	}
	o.bool("multiattach", v.Multiattach)
	objects(o, "attachments", attachedOnly(v.attachments), func(o object, a db.Attachment) {
		volumeAttachment(o, a, see.admin || see.service)
	})
	if see.admin {
		o.text("migration_status", v.MigrationStatus)
	}
	if extended {
		volumeExtended(o, v, see)
	}
	c.volumeSince(o, v, see)
}

// volumeExtended are the fields of the extensions that were folded into v3.
func volumeExtended(o object, v volumeView, see volumeVisible) {
	if see.tenant {
		o.str("os-vol-tenant-attr:tenant_id", v.ProjectID)
	}
	if see.migration {
		o.text("os-vol-mig-status-attr:migstat", v.MigrationStatus)
		o.text("os-vol-mig-status-attr:name_id", v.NameID)
	}
	if see.host {
		o.text("os-vol-host-attr:host", v.Host)
	}
	if see.image && len(v.ImageMetadata) > 0 {
		o.strings("volume_image_metadata", v.ImageMetadata)
	}
}

// volumeSince are the fields that came with a microversion.
func (c *Call) volumeSince(o object, v volumeView, see volumeVisible) {
	if c.Since(13) {
		o.text("group_id", v.GroupID)
	}
	if c.Since(21) && see.admin {
		o.text("provider_id", v.ProviderID)
	}
	if c.Since(48) {
		o.bool("shared_targets", false) // each volume has a target of its own
		o.text("service_uuid", v.ServiceID)
	}
	if c.Since(61) && see.admin {
		o.null("cluster_name")
	}
	if c.Since(63) {
		o.str("volume_type_id", v.VolumeTypeID)
	}
	if c.Since(64) && v.EncryptionKeyID != nil {
		o.str("encryption_key_id", *v.EncryptionKeyID)
	}
	if c.Since(65) {
		o.bool("consumes_quota", v.ConsumesQuota)
	}
}

// volumeAttachment is an entry of volume.detail.attachments. Who may not know
// hosts sees null.
func volumeAttachment(o object, a db.Attachment, seesHost bool) {
	o.str("id", a.VolumeID)
	o.str("attachment_id", a.ID)
	o.str("volume_id", a.VolumeID)
	o.text("server_id", a.InstanceUUID)
	if seesHost {
		o.text("host_name", a.AttachedHost)
	} else {
		o.null("host_name")
	}
	o.text("device", a.Mountpoint)
	o.when("attached_at", a.AttachedAt)
}

// attachedOnly leaves out attachments that are not yet, or no longer, in force.
func attachedOnly(all []db.Attachment) []db.Attachment {
	attached := all[:0:0]
	for _, a := range all {
		if a.AttachStatus == db.AttachAttached {
			attached = append(attached, a)
		}
	}
	return attached
}

// shownStatus hides the statuses of adopting a volume behind those that clients know.
func shownStatus(status string) string {
	switch status {
	case "managing":
		return "creating"
	case "error_managing":
		return "error"
	case "error_managing_deleting":
		return "deleting"
	}
	return status
}

// shownMetadata merges what the service itself notes into the user's metadata,
// as show and list do.
func shownMetadata(v volumeView, extended bool) map[string]string {
	visible := shownProgress(v.progress)
	if !extended || len(v.AdminMetadata)+len(visible) == 0 {
		return v.Metadata
	}
	if visible == nil {
		visible = map[string]string{}
	}
	for _, key := range []string{"readonly", "attached_mode"} {
		if value, set := v.AdminMetadata[key]; set {
			visible[key] = value
		}
	}
	return v.Metadata.With(visible)
}
