package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(attachmentRoutes) }

func attachmentRoutes(s *Server) []Route {
	const items, item = "/attachments", "/attachments/:attachment_id"
	return []Route{
		{Name: "attachments.list", Method: "GET", Path: items, Since: 27, Status: http.StatusOK,
			Handler: s.listAttachments(attachmentSummary)},
		{Name: "attachments.detail", Method: "GET", Path: items + "/detail", Since: 27, Status: http.StatusOK,
			Handler: s.listAttachments(attachmentDetail)},
		{Name: "attachments.create", Method: "POST", Path: items, Since: 27, Status: http.StatusOK,
			Policy: []string{"volume:attachment_create"}, Object: true, Handler: s.createAttachment},
		{Name: "attachments.show", Method: "GET", Path: item, Since: 27, Status: http.StatusOK,
			Handler: s.showAttachment},
		{Name: "attachments.update", Method: "PUT", Path: item, Since: 27, Status: http.StatusOK,
			Policy: []string{"volume:attachment_update"}, Object: true, Handler: s.updateAttachment},
		{Name: "attachments.delete", Method: "DELETE", Path: item, Since: 27, Status: http.StatusOK,
			Policy: []string{"volume:attachment_delete"}, Object: true, Handler: s.deleteAttachment},
		{Name: "attachments.complete", Method: "POST", Path: item + "/action", Action: "os-complete", Since: 44,
			Status: http.StatusNoContent,
			Policy: []string{"volume:attachment_complete"}, Object: true, Handler: s.completeAttachment},
	}
}

// attachment reads the attachment that the path names, with its volume, and
// asks the policy about it.
func (c *Call) attachment() (db.Attachment, db.Volume, error) {
	a, v, err := c.database().AttachmentAndVolume(c.Context(), c.Param("attachment_id"), c.Scope())
	if err != nil {
		return a, v, err
	}
	return a, v, c.Allow(Owner{a.ProjectID, a.UserID})
}

var attachmentFilters = filterSpec{
	resource: "attachment",
	rename:   map[string]string{"instance_id": "instance_uuid", "status": "attach_status"},
	equal:    db.AttachmentFilter,
	like:     db.AttachmentLike,
	special: map[string]func(*Call, string) ([]db.Condition, error){
		"project_id": func(c *Call, value string) ([]db.Condition, error) {
			condition, _, err := db.AttachmentFilter("project_id", value)
			return []db.Condition{condition}, err
		},
	},
}

// listAttachments pages as every list does, but its answers carry no links
// (filters.tsv). A filter by status means the record's: upstream matches none.
func (s *Server) listAttachments(view func(object, db.Attachment)) Handler {
	return func(c *Call) (View, error) {
		q, err := c.page(attachmentFilters.rename)
		if err != nil {
			return nil, err
		}
		if q.Where, err = c.filters(attachmentFilters); err != nil {
			return nil, err
		}
		all, err := c.allProjects()
		if err != nil {
			return nil, err
		}
		if all {
			q.Where = append(q.Where, db.EveryAttachment)
		} else {
			q.Where = append(q.Where, db.AttachmentsOfProject(c.Identity.ProjectID))
		}
		found, err := c.database().Attachments(c.Context(), q)
		return func(o object) { objects(o, "attachments", found, view) }, err
	}
}

func (s *Server) showAttachment(c *Call) (View, error) {
	a, _, err := c.attachment()
	if err != nil {
		return nil, err
	}
	return attachmentAnswer(a), nil
}

func (s *Server) completeAttachment(c *Call) (View, error) {
	a, v, err := c.attachment()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		if err := tx.TouchAttachments(c.Context(), v.ID); err != nil {
			return err
		}
		mode := firstOf(a.AttachMode, modeOf(v))
		_, err := tx.MoveAttachment(c.Context(), a.ID, []string{db.AttachReserved, db.AttachAttaching, db.AttachAttached},
			db.AttachAttached, map[string]any{"attached_at": tx.Now(), "attach_mode": *mode, "initialized": false})
		if err != nil {
			return badAttachment(err)
		}
		return tx.SettleAttachments(c.Context(), v.ID)
	})
}

// modeOf is how a volume is attached when nobody says: read-only volumes ro,
// others rw.
func modeOf(v db.Volume) *string {
	mode := "rw"
	if v.AdminMetadata["readonly"] == "True" {
		mode = "ro"
	}
	return &mode
}

func badAttachment(err error) error {
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Invalid, "Invalid attachment: %s", fault.MessageOf(err))
	}
	return err
}
