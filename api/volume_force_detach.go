package api

import (
	"encoding/json"
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.force_detach", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-force_detach", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume_extension:volume_admin_actions:force_detach"}, Object: true,
			Handler: s.forceDetachVolume}}
	})
}

// forceDetachVolume is for an attachment whose host does not answer any more:
// from any status, and a volume that was in error over it is free again. The
// attachments of others go on.
func (s *Server) forceDetachVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Detach struct {
			AttachmentID *string         `json:"attachment_id"`
			Connector    json.RawMessage `json:"connector"`
		} `json:"os-force_detach"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	from, err := parseLeaving(in.Detach.Connector)
	if err != nil {
		return nil, err
	}
	a, err := c.attachmentToDetach(v, in.Detach.AttachmentID)
	if fault.Is(err, fault.NotFound) {
		err = fault.Wrap(err, fault.Invalid, "Error force detaching volume - VolumeAttachmentNotFound: %s", fault.MessageOf(err))
	}
	if err == nil && a != nil {
		err = c.protectServer(*a)
	}
	if err != nil {
		return nil, err
	}
	if from != nil {
		err = c.terminate(v, from)
	} else {
		err = c.endInitialized(v, a)
	}
	if err == nil {
		err = c.detachOne(v, a)
	}
	if err != nil {
		return nil, terminateFailure(err)
	}
	return nil, c.tx(func(tx *db.Tx) error {
		_, err := tx.MoveVolume(c.Context(), v.ID, db.ForceDetached, "", nil)
		if fault.Is(err, fault.Conflict) {
			return nil // something else goes on with it, and will settle it
		}
		return err
	})
}

// endInitialized cuts off every host that was never attached, but the one that
// is to be detached in its turn. One that is attached meanwhile stays.
func (c *Call) endInitialized(v db.Volume, but *db.Attachment) error {
	all, err := c.database().AttachmentsOf(c.Context(), v.ID)
	if err != nil {
		return err
	}
	for _, a := range all[v.ID] {
		if !a.Initialized || but != nil && a.ID == but.ID {
			continue
		}
		if err := c.detachBegun(v, a); err != nil && !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}
