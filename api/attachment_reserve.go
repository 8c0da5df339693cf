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
	if err := c.reserve(v, &a); err != nil {
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

// reserve writes the attachment. The volume must be free, or its attachments
// must all be the same server's (live migration), or its type must allow many.
func (c *Call) reserve(v db.Volume, a *db.Attachment) error {
	if v.AdminMetadata["readonly"] == "True" && a.AttachMode != nil && *a.AttachMode == "rw" {
		return fault.New(fault.Invalid, "Invalid volume: Volume %s is read-only and cannot be attached for writing.", v.ID)
	}
	if v.Multiattach && v.Bootable {
		if err := c.Require("volume:multiattach_bootable_volume", ownerOf(v)); err != nil {
			return err
		}
	}
	return c.tx(func(tx *db.Tx) error {
		_, err := tx.MoveVolume(c.Context(), v.ID, db.Reserve, "", nil)
		if fault.Is(err, fault.Conflict) {
			err = c.reserveMore(tx, v, *a)
		}
		if err != nil {
			return err
		}
		return tx.InsertAttachment(c.Context(), a)
	})
}

func (c *Call) reserveMore(tx *db.Tx, v db.Volume, a db.Attachment) error {
	refused := func() error {
		return fault.New(fault.Invalid, "Invalid volume: Volume %s status must be available or downloading to reserve, but the current status is %s.", v.ID, v.Status)
	}
	if _, err := tx.MoveVolume(c.Context(), v.ID, db.ReserveMore, "", nil); err != nil {
		if fault.Is(err, fault.Conflict) {
			return refused()
		}
		return err
	}
	others, err := tx.AttachmentsIn(c.Context(), v.ID)
	if err != nil || v.Multiattach {
		return err
	}
	foreign := slices.ContainsFunc(others, func(o db.Attachment) bool {
		return a.InstanceUUID == nil || o.InstanceUUID == nil || *o.InstanceUUID != *a.InstanceUUID
	})
	if foreign || len(others) == 0 {
		return refused()
	}
	return nil
}
