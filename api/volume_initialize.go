package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.initialize_connection", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-initialize_connection", Status: http.StatusOK,
			Policy: []string{"volume:get", "volume_extension:volume_actions:initialize_connection"}, Object: true,
			Handler: s.initializeConnection}}
	})
}

// initializeConnection lets a host reach the volume, as the clients of before
// the attachments do it. Each host gets an attachment of its own all the same,
// with credentials of its own: os-attach completes it, os-terminate_connection
// and os-unreserve end it.
func (s *Server) initializeConnection(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Initialize struct {
			Connector json.RawMessage `json:"connector"`
		} `json:"os-initialize_connection"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	from, err := parseConnector(in.Initialize.Connector)
	if err == nil && from == nil {
		err = fault.New(fault.Invalid, "Invalid input for field/attribute connector: it must name its 'host' and its 'initiator'.")
	}
	if err == nil {
		err = notInMaintenance(v, "The volume connection cannot be initialized in maintenance mode.")
	}
	if err != nil {
		return nil, err
	}
	a, err := c.initialize(v, from)
	if fault.Is(err, attachFailed) {
		return nil, fault.Wrap(err, attachFailed, "Unable to fetch connection information from backend.")
	}
	return connectionAnswer(a), err
}

// initialize connects the host. A crash before how to connect is written leaves
// an attachment that the reconciler ends; nobody has been told of it.
func (c *Call) initialize(v db.Volume, from *connector) (db.Attachment, error) {
	a, v, err := c.beginInitialize(v, from)
	if err != nil {
		return a, err
	}
	login := newLogin(v, a)
	if a.ConnectionInfo != nil {
		if login, _, err = told(a); err != nil {
			return a, err
		}
	}
	info, err := c.grant(v, a, from.Initiator, *a.AttachMode, login)
	if err != nil {
		c.abandon(a)
		return a, err
	}
	return c.database().SetConnectionInfo(c.Context(), a, info)
}

// abandon ends what was made in vain. Should that fail too, the reconciler will
// find the row.
func (c *Call) abandon(a db.Attachment) {
	if !a.Initialized || a.ConnectionInfo != nil {
		return
	}
	ctx := context.WithoutCancel(c.Context())
	if err := c.server.db.Tx(ctx, func(tx *db.Tx) error { return tx.AbandonAttachment(ctx, a) }); err != nil {
		slog.WarnContext(ctx, "a connection made in vain could not be ended", "attachment", a.ID, "error", err)
	}
}

// beginInitialize finds the attachment that the host is to connect by, or makes
// one. It gives the volume as it is then: it may have come to another pool since
// it was read.
func (c *Call) beginInitialize(read db.Volume, from *connector) (begun db.Attachment, v db.Volume, err error) {
	return begun, v, c.tx(func(tx *db.Tx) error {
		if v, err = tx.LockVolume(c.Context(), read.ID); err != nil {
			return err
		}
		others, err := tx.AttachmentsIn(c.Context(), v.ID)
		if err != nil {
			return err
		}
		found := connectionFor(v, others, from)
		mode, err := c.attachMode(v, found, from)
		if err != nil {
			return err
		}
		if found.ID != "" {
			begun, err = tx.MoveAttachment(c.Context(), found.ID, []string{found.AttachStatus}, found.AttachStatus,
				map[string]any{"connector": string(from.raw), "attached_host": from.Host, "attach_mode": mode})
			return err
		}
		if err := c.mayConnect(v, others); err != nil {
			return err
		}
		begun = db.Attachment{ID: uuid.NewString(), VolumeID: v.ID, ProjectID: v.ProjectID, UserID: c.Identity.UserID,
			AttachStatus: db.AttachAttaching, AttachMode: &mode, AttachedHost: &from.Host, Connector: from.raw,
			Initialized: true, Generation: 1}
		if err := tx.InsertAttachment(c.Context(), &begun); err != nil {
			return err
		}
		return tx.SettleAttachments(c.Context(), v.ID)
	})
}

// connectionFor finds the attachment by which a host that asks to be connected
// is connected already, or shall be: the one it has begun, or, unless the volume
// is held for a further one, one that is attached.
func connectionFor(v db.Volume, all []db.Attachment, from *connector) db.Attachment {
	ways := []func(a db.Attachment) bool{
		func(a db.Attachment) bool { return a.Initialized && initiatorOf(a) == from.Initiator },
	}
	if !v.Held {
		ways = append(ways, func(a db.Attachment) bool {
			return a.AttachStatus == db.AttachAttached && initiatorOf(a) == from.Initiator
		}, func(a db.Attachment) bool {
			return a.AttachStatus == db.AttachAttached && a.Connector == nil && (a.AttachedHost == nil || *a.AttachedHost == from.Host)
		})
	}
	for _, way := range ways {
		if i := slices.IndexFunc(all, way); i >= 0 {
			return all[i]
		}
	}
	return db.Attachment{}
}

// initiatorOf gives the initiator of an attachment's connector, "" for none.
func initiatorOf(a db.Attachment) string {
	var from connector
	if len(a.Connector) == 0 || exact(a.Connector, &from) != nil {
		return ""
	}
	return from.Initiator
}

// mayConnect refuses a further host on a volume that another has, unless its
// type lets many have it.
func (c *Call) mayConnect(v db.Volume, others []db.Attachment) error {
	switch {
	case v.PoolID == nil:
		return fault.New(fault.Invalid, "Invalid volume: Volume %s has no place on a storage node yet.", v.ID)
	case v.Multiattach && slices.Contains([]string{"available", "attaching", "in-use", "reserved"}, v.Status):
		return c.allowMore(v)
	case len(others) > 0:
		return fault.New(fault.Invalid, "Invalid volume: Volume %s is attached or being attached already, and multiple attachments are not enabled.", v.ID)
	case v.Status != "available" && v.Status != "attaching":
		return fault.New(fault.Invalid, "Invalid volume: Volume %s status must be available or attaching to initialize a connection, but the current status is %s.", v.ID, v.Status)
	}
	return nil
}

// connectionAnswer is how to connect in the form of before the attachments:
// what the driver needs is nested under data.
func connectionAnswer(a db.Attachment) View {
	return func(o object) {
		o.object("connection_info", func(o object) {
			fields := map[string]json.RawMessage{}
			_ = json.Unmarshal(a.ConnectionInfo, &fields) // we wrote it
			o.raw("driver_volume_type", fields["driver_volume_type"])
			delete(fields, "driver_volume_type")
			delete(fields, "attachment_id")
			o.object("data", func(o object) {
				for _, key := range slices.Sorted(maps.Keys(fields)) {
					o.raw(quoted(key), fields[key])
				}
			})
		})
	}
}
