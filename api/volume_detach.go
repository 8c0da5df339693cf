package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		const path, rule = "/volumes/:volume_id/action", "volume_extension:volume_actions:"
		return []Route{
			{Name: "volume_actions.begin_detaching", Method: "POST", Path: path, Action: "os-begin_detaching", Status: http.StatusAccepted,
				Policy: []string{"volume:get", rule + "begin_detaching"}, Object: true, Handler: s.beginDetaching},
			{Name: "volume_actions.roll_detaching", Method: "POST", Path: path, Action: "os-roll_detaching", Status: http.StatusAccepted,
				Policy: []string{"volume:get", rule + "roll_detaching"}, Object: true, Handler: s.rollDetaching},
			{Name: "volume_actions.detach", Method: "POST", Path: path, Action: "os-detach", Status: http.StatusAccepted,
				Policy: []string{"volume:get", rule + "detach"}, Object: true, Handler: s.detachVolume},
		}
	})
}

// beginDetaching only marks the volume. While it is migrated, the mark is left
// out and the answer is the same.
func (s *Server) beginDetaching(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil || migrating(v) {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		_, err := tx.MoveVolume(c.Context(), v.ID, db.BeginDetaching, "", nil)
		if fault.Is(err, fault.Conflict) {
			return fault.Wrap(err, fault.Invalid, "Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.")
		}
		return err
	})
}

// migrating tells whether a volume is on its way to another pool.
func migrating(v db.Volume) bool {
	if v.MigrationStatus == nil {
		return false
	}
	switch *v.MigrationStatus {
	case "none", "deleting", "error", "success":
		return false
	}
	return true
}

// rollDetaching takes the mark back; without one it does nothing.
func (s *Server) rollDetaching(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		_, err := tx.MoveVolume(c.Context(), v.ID, db.RollDetaching, "", nil)
		if fault.Is(err, fault.Conflict) {
			return nil
		}
		return err
	})
}

// detachVolume ends an attachment, and cuts its host off before it says so.
// What has ended already is no error: clients repeat.
func (s *Server) detachVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Detach struct {
			AttachmentID *string `json:"attachment_id"`
		} `json:"os-detach"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := notInMaintenance(v, "The volume cannot be detached in maintenance mode."); err != nil {
		return nil, err
	}
	a, err := c.attachmentToDetach(v, in.Detach.AttachmentID)
	if err != nil {
		return nil, err
	}
	if a != nil {
		if err := c.protectServer(*a); err != nil {
			return nil, err
		}
	}
	return nil, terminateFailure(c.detachOne(v, a))
}

// detachOne detaches what there is to be detached; nothing, if another request
// was faster. os-reserve ends with the connection that was made under it.
func (c *Call) detachOne(v db.Volume, a *db.Attachment) error {
	if a != nil {
		if err := c.detach(v, *a); !fault.Is(err, fault.NotFound) && (err != nil || !a.Initialized) {
			return err
		}
	}
	return c.tx(func(tx *db.Tx) error { return tx.Release(c.Context(), v.ID, db.AttachmentsChanged) })
}

// attachmentToDetach finds the attachment named, or the only one; nil when it
// has ended or there is none.
func (c *Call) attachmentToDetach(v db.Volume, id *string) (*db.Attachment, error) {
	found, err := c.database().AttachmentsOf(c.Context(), v.ID)
	all := found[v.ID]
	switch {
	case err != nil:
		return nil, err
	case id != nil && *id != "":
		return c.attachmentNamed(v, all, *id)
	case len(all) > 1:
		return nil, fault.New(fault.Invalid, "Error detaching volume - InvalidVolume: Invalid volume: Detach volume failed: More than one attachment, but no attachment_id provided.")
	case len(all) == 1:
		return &all[0], nil
	}
	return nil, nil
}

func (c *Call) attachmentNamed(v db.Volume, all []db.Attachment, id string) (*db.Attachment, error) {
	for i := range all {
		if sameID(&all[i].ID, &id) {
			return &all[i], nil
		}
	}
	ever, err := c.database().AttachmentsEver(c.Context(), []string{id})
	if err != nil {
		return nil, err
	}
	for _, a := range ever {
		if a.VolumeID == v.ID {
			return nil, nil // it has ended
		}
		if scope := c.Scope(); scope == "" || scope == a.ProjectID {
			return nil, fault.New(fault.Invalid, "Invalid input received: Mismatched volume and attachment")
		}
	}
	return nil, db.AttachmentNotFound(id)
}
