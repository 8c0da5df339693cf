package api

import (
	"time"

	"clinker/db"
)

// attachmentSummary has the fields of attachment.summary (fields.tsv).
func attachmentSummary(o object, a db.Attachment) {
	o.str("id", a.ID)
	o.str("status", a.AttachStatus)
	o.text("instance", a.InstanceUUID)
	o.str("volume_id", a.VolumeID)
}

// attachmentDetail has the fields of attachment.detail. The connection info,
// with the password in it, goes only to those who may read the row.
func attachmentDetail(o object, a db.Attachment) {
	attachmentSummary(o, a)
	attachmentTime(o, "attached_at", a.AttachedAt)
	attachmentTime(o, "detached_at", a.DetachedAt)
	mode := "null" // the text, as Cinder writes it
	if a.AttachMode != nil {
		mode = *a.AttachMode
	}
	o.str("attach_mode", mode)
	o.raw("connection_info", a.ConnectionInfo)
}

// attachmentTime writes "" for a time that has not come.
func attachmentTime(o object, n name, t *time.Time) {
	if t == nil {
		o.str(n, "")
		return
	}
	o.time(n, *t)
}

func attachmentAnswer(a db.Attachment) View {
	return func(o object) {
		o.object("attachment", func(o object) { attachmentDetail(o, a) })
	}
}
