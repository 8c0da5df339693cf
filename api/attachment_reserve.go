package api

import (
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

// createAttachment reserves a volume and, when the request brings a connector,
// connects it at once.
func (s *Server) createAttachment(c *Call) (View, error) {
	var in struct {
		Attachment struct {
			VolumeUUID   string          `json:"volume_uuid"`
			InstanceUUID *string         `json:"instance_uuid"`
			Connector    json.RawMessage `json:"connector"`
			Mode         *string         `json:"mode"`
		} `json:"attachment"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	v, err := c.database().Volume(c.Context(), in.Attachment.VolumeUUID, c.Scope())
	if err != nil {
		return nil, err
	}
	if err := c.Allow(ownerOf(v)); err != nil {
		return nil, err
	}
	a := db.Attachment{
		ID: uuid.NewString(), VolumeID: v.ID, ProjectID: v.ProjectID, UserID: c.Identity.UserID,
		InstanceUUID: in.Attachment.InstanceUUID, AttachMode: in.Attachment.Mode,
		AttachStatus: db.AttachReserved, Generation: 1,
	}
	connector, err := parseConnector(in.Attachment.Connector)
	if err != nil {
		return nil, err
	}
	if v, err = c.reserve(v, &a); err != nil {
		return nil, err
	}
	if connector == nil {
		return attachmentAnswer(a), nil
	}
	if a, err = c.connect(v, a, connector); err != nil {
		return nil, attachFailure(err, "Unable to create attachment for volume")
	}
	return attachmentAnswer(a), nil
}

// reserve writes the attachment and gives the volume as it is then, when nothing
// can make it read-only any more. The volume must be free, or its attachments
// must all be the same server's (live migration), or its type must allow many.
func (c *Call) reserve(v db.Volume, a *db.Attachment) (reserved db.Volume, err error) {
	return reserved, c.tx(func(tx *db.Tx) error {
		reserved, err = tx.MoveVolume(c.Context(), v.ID, db.Reserve, "", nil)
		if fault.Is(err, fault.Conflict) {
			reserved, err = c.reserveMore(tx, v, *a)
		}
		if err == nil && a.AttachMode != nil {
			err = modeAllowed(reserved, *a.AttachMode)
		}
		if err != nil {
			return err
		}
		return tx.InsertAttachment(c.Context(), a)
	})
}

func (c *Call) reserveMore(tx *db.Tx, v db.Volume, a db.Attachment) (db.Volume, error) {
	refused := func() error {
		allowed := "available or downloading" // Cinder's words
		if v.Status == "downloading" {
			allowed = "available"
		}
		return fault.New(fault.Invalid, "Invalid volume: Volume %s status must be %s to reserve, but the current status is %s.", v.ID, allowed, v.Status)
	}
	moved, err := tx.MoveVolume(c.Context(), v.ID, db.ReserveMore, "", nil)
	if fault.Is(err, fault.Conflict) {
		return v, refused()
	}
	if err != nil {
		return v, err
	}
	if moved.Multiattach {
		return moved, c.allowMore(moved)
	}
	others, err := tx.AttachmentsIn(c.Context(), v.ID)
	if err != nil {
		return v, err
	}
	foreign := slices.ContainsFunc(others, func(o db.Attachment) bool {
		return !sameID(a.InstanceUUID, o.InstanceUUID)
	})
	if foreign || len(others) == 0 {
		return v, refused()
	}
	return moved, nil
}
