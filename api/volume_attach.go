package api

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.attach", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-attach", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume_extension:volume_actions:attach"}, Object: true, Handler: s.attachVolume}}
	})
}

// attachRequest is the body of os-attach.
type attachRequest struct {
	InstanceUUID *string `json:"instance_uuid"`
	HostName     *string `json:"host_name"`
	Mountpoint   string  `json:"mountpoint"`
	Mode         string  `json:"mode"`
}

// attachVolume notes that a server or host has the volume. The connection that
// was initialized for it becomes its attachment; without one, the attachment is
// a note and nothing else.
func (s *Server) attachVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Attach attachRequest `json:"os-attach"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if in.Attach.Mode == "" {
		in.Attach.Mode = "rw"
	}
	if err := notInMaintenance(v, "The volume cannot be attached in maintenance mode."); err != nil {
		return nil, err
	}
	a, err := c.beginAttach(v, in.Attach)
	if err == nil && a.AttachStatus != db.AttachAttached {
		err = c.attachOtherwise(v, a, in.Attach)
	}
	return nil, attachFailure(badRequest(err), "Unable to attach volume")
}

// modeAllowed refuses to write to what is read-only.
func modeAllowed(v db.Volume, mode string) error {
	if v.AdminMetadata["readonly"] == "True" && mode != "ro" {
		return fault.New(fault.Invalid, "Invalid attaching mode '%s' for volume %s.", mode, v.ID)
	}
	return nil
}

// beginAttach attaches at once, unless the host was connected in another mode
// than it is to be attached in: then it gives the connection to be changed.
func (c *Call) beginAttach(v db.Volume, in attachRequest) (a db.Attachment, err error) {
	return a, c.tx(func(tx *db.Tx) error {
		v, err := tx.LockVolume(c.Context(), v.ID)
		if err == nil {
			err = modeAllowed(v, in.Mode)
		}
		if err != nil {
			return err
		}
		others, err := tx.AttachmentsIn(c.Context(), v.ID)
		if err != nil {
			return err
		}
		begun, err := initializedFor(v, others, in)
		if err != nil {
			return err
		}
		if begun == nil {
			a, err = c.attachUnconnected(tx, v, others, in)
			return err
		}
		_, mode, err := told(*begun)
		if err != nil {
			return err
		}
		if mode != in.Mode {
			a, err = tx.MoveAttachmentAt(c.Context(), *begun, begun.AttachStatus, nil)
			return err
		}
		a, err = c.completeAttach(tx, *begun, in, nil)
		return err
	})
}

// initializedFor finds the connection that os-attach is about: that of the host
// which it names, else the only one. nil when none was initialized.
func initializedFor(v db.Volume, all []db.Attachment, in attachRequest) (*db.Attachment, error) {
	var begun []db.Attachment
	for _, a := range all {
		switch {
		case a.AttachStatus == db.AttachAttached && sameID(a.InstanceUUID, in.InstanceUUID),
			a.AttachStatus == db.AttachAttached && in.InstanceUUID == nil && a.InstanceUUID == nil && same(a.AttachedHost, in.HostName):
			return nil, fault.New(fault.Invalid, "Invalid volume: Volume %s is attached there already.", v.ID)
		case a.Initialized && a.ConnectionInfo == nil:
			return nil, fault.New(fault.Invalid, "Invalid volume: Volume %s is still being connected.", v.ID)
		case a.Initialized:
			begun = append(begun, a)
		}
	}
	named := func(a db.Attachment) bool { return same(a.AttachedHost, in.HostName) }
	if i := slices.IndexFunc(begun, named); i >= 0 {
		return &begun[i], nil
	}
	switch len(begun) {
	case 0:
		return nil, nil
	case 1:
		return &begun[0], nil
	}
	return nil, fault.New(fault.Invalid, "Invalid volume: %d hosts are being connected to volume %s; host_name must be one of theirs.", len(begun), v.ID)
}

// attachUnconnected attaches a volume to which no host was connected.
func (c *Call) attachUnconnected(tx *db.Tx, v db.Volume, others []db.Attachment, in attachRequest) (db.Attachment, error) {
	none := db.Attachment{}
	switch {
	case v.Multiattach && slices.Contains([]string{"available", "attaching", "in-use", "reserved"}, v.Status):
		if err := c.allowMore(v); err != nil {
			return none, err
		}
	case v.Status == "in-use":
		return none, fault.New(fault.Invalid, "Invalid volume: volume is already attached and multiple attachments are not enabled")
	case len(others) > 0 || v.Status != "available" && v.Status != "attaching":
		return none, fault.New(fault.Invalid, "Invalid volume: Volume %s status must be available or attaching to attach, but the current status is %s.", v.ID, v.Status)
	}
	now := tx.Now()
	a := db.Attachment{ID: uuid.NewString(), VolumeID: v.ID, ProjectID: v.ProjectID, UserID: c.Identity.UserID,
		InstanceUUID: in.InstanceUUID, AttachedHost: in.HostName, Mountpoint: &in.Mountpoint, AttachMode: &in.Mode,
		AttachStatus: db.AttachAttached, AttachedAt: &now, Generation: 1}
	if err := tx.InsertAttachment(c.Context(), &a); err != nil {
		return none, err
	}
	return a, tx.FinishAttach(c.Context(), v.ID, in.Mode)
}

// completeAttach makes a connection an attachment.
func (c *Call) completeAttach(tx *db.Tx, a db.Attachment, in attachRequest, info []byte) (db.Attachment, error) {
	set := map[string]any{"attached_at": tx.Now(), "mountpoint": in.Mountpoint, "attach_mode": in.Mode, "initialized": false}
	if in.InstanceUUID != nil {
		set["instance_uuid"] = *in.InstanceUUID
	}
	if in.HostName != nil {
		set["attached_host"] = *in.HostName
	}
	if info != nil {
		set["connection_info"] = string(info)
	}
	attached, err := tx.MoveAttachmentAt(c.Context(), a, db.AttachAttached, set)
	if err != nil {
		return attached, err
	}
	return attached, tx.FinishAttach(c.Context(), a.VolumeID, in.Mode)
}

// attachOtherwise has the node change what the host may do, to writing or to
// reading only, and then attaches. A crash in between leaves a connection that
// the next os-attach changes once more.
func (c *Call) attachOtherwise(v db.Volume, a db.Attachment, in attachRequest) error {
	login, _, err := told(a)
	if err != nil {
		return err
	}
	info, err := c.grant(v, a, initiatorOf(a), in.Mode, login)
	if err != nil {
		return err
	}
	return c.tx(func(tx *db.Tx) error {
		if err := tx.TouchAttachments(c.Context(), v.ID); err != nil {
			return err
		}
		_, err := c.completeAttach(tx, a, in, info)
		return err
	})
}

// sameID tells whether two ids are one, however they are written; none is like
// nothing.
func sameID(a, b *string) bool {
	if a == nil || b == nil {
		return false
	}
	one, err := uuid.Parse(*a)
	other, err2 := uuid.Parse(*b)
	return err == nil && err2 == nil && one == other
}

func same(a, b *string) bool { return a != nil && b != nil && *a == *b }
