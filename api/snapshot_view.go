package api

import "clinker/db"

// extendedSnapshot lets a caller see a snapshot's project and progress.
const extendedSnapshot = "volume_extension:extended_snapshot_attributes"

// snapshotSummary has the fields of snapshot.summary (fields.tsv).
func snapshotSummary(o object, s db.Snapshot) {
	o.str("id", s.ID)
	o.time("created_at", s.CreatedAt)
	o.when("updated_at", s.UpdatedAt)
	o.text("name", s.Name)
	o.text("description", s.Description)
	o.str("volume_id", s.VolumeID)
	o.str("status", shownStatus(s.Status))
	o.int("size", s.SizeGiB)
	o.strings("metadata", s.Metadata)
}

// snapshotDetail has the fields of snapshot.detail. extended adds those that
// show and list have and the answers to create and update have not.
func (c *Call) snapshotDetail(o object, s db.Snapshot, extended bool) {
	snapshotSummary(o, s)
	if c.Since(14) {
		o.text("group_snapshot_id", s.GroupSnapshotID)
	}
	if c.Since(41) {
		o.str("user_id", s.UserID)
	}
	if c.Since(65) {
		o.bool("consumes_quota", s.ConsumesQuota)
	}
	if extended {
		o.str("os-extended-snapshot-attributes:progress", s.Progress)
		o.str("os-extended-snapshot-attributes:project_id", s.ProjectID)
	}
}

func (c *Call) snapshotAnswer(s db.Snapshot, extended bool) View {
	return func(o object) {
		o.object("snapshot", func(o object) { c.snapshotDetail(o, s, extended) })
	}
}
