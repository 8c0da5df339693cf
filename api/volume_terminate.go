package api

import (
	"encoding/json"
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.terminate_connection", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-terminate_connection", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume_extension:volume_actions:terminate_connection"}, Object: true,
			Handler: s.terminateConnection}}
	})
}

// terminateConnection cuts a host off. What is attached stays noted until
// os-detach; a connection that was never attached ends, and so does os-reserve.
func (s *Server) terminateConnection(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Terminate struct {
			Connector json.RawMessage `json:"connector"`
		} `json:"os-terminate_connection"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	from, err := parseLeaving(in.Terminate.Connector)
	if err != nil {
		return nil, err
	}
	return nil, terminateFailure(c.terminate(v, from))
}

// leaving is a connector of a host that goes: less of it is needed than to
// connect. nil is every host.
type leaving struct {
	Host      string `json:"host"`
	Initiator string `json:"initiator"`
}

func parseLeaving(raw json.RawMessage) (*leaving, error) {
	var from *leaving
	if err := exact(raw, &from); len(raw) > 0 && err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "Invalid input for field/attribute connector: it must be an object or null, and its host and initiator strings.")
	}
	if from != nil && from.Host == "" && from.Initiator == "" {
		return nil, fault.New(fault.Invalid, "Invalid input for field/attribute connector: it must name its 'host' or its 'initiator'.")
	}
	return from, nil
}

// of tells whether an attachment is the host's.
func (l *leaving) of(a db.Attachment) bool {
	if a.Connector == nil {
		return false
	}
	switch {
	case l == nil:
		return true
	case l.Initiator != "":
		return l.Initiator == initiatorOf(a)
	}
	return same(&l.Host, a.AttachedHost)
}

func (c *Call) terminate(v db.Volume, from *leaving) error {
	all, err := c.database().AttachmentsOf(c.Context(), v.ID)
	if err != nil {
		return err
	}
	var begun, attached []db.Attachment
	for _, a := range all[v.ID] {
		switch {
		case !from.of(a):
		case a.Initialized:
			begun = append(begun, a)
		default:
			attached = append(attached, a)
		}
	}
	for _, a := range attached {
		if err := c.protectServer(a); err != nil {
			return err
		}
	}
	if err := c.disconnectAll(v, from, begun, attached); err != nil {
		return err
	}
	if len(attached) > 0 && len(begun) == 0 {
		return nil // os-reserve was somebody else's
	}
	return c.tx(func(tx *db.Tx) error { return tx.Release(c.Context(), v.ID, db.Unreserve) })
}

// disconnectAll cuts connections. When several servers of one host have the
// volume, the host needs its connection as long as one of them does: os-detach
// will tell which one goes.
func (c *Call) disconnectAll(v db.Volume, from *leaving, begun, attached []db.Attachment) error {
	for _, a := range begun {
		if err := c.detachBegun(v, a); err != nil {
			return err
		}
	}
	if from != nil && len(attached) > 1 {
		return nil
	}
	for _, a := range attached {
		if err := c.disconnect(v, a); err != nil {
			return err
		}
	}
	return nil
}

// disconnect cuts an attachment's host off and leaves the attachment. From the
// first step on, the row says that no host is to be let in, so that after a crash
// the reconciler cuts it off.
func (c *Call) disconnect(v db.Volume, a db.Attachment) error {
	to := a.AttachStatus
	if to == db.AttachAttaching || to == db.AttachErrorAttaching {
		to = db.AttachReserved // it waits for a connector again
	}
	change := func(set map[string]any) error {
		return c.tx(func(tx *db.Tx) error {
			err := tx.TouchAttachments(c.Context(), v.ID)
			if err == nil {
				a, err = tx.MoveAttachmentAt(c.Context(), a, to, set)
			}
			if err != nil || to != db.AttachReserved {
				return err
			}
			return tx.SettleAttachments(c.Context(), v.ID)
		})
	}
	if err := change(map[string]any{"connection_info": nil}); err != nil {
		return err
	}
	if err := c.revoke(v, a); err != nil {
		return err
	}
	return change(map[string]any{"connector": nil})
}

// terminateFailure is how a node's failure to cut a host off is answered.
func terminateFailure(err error) error {
	if fault.Is(err, attachFailed) {
		return fault.Wrap(err, attachFailed, "Unable to terminate volume connection from backend.")
	}
	return err
}
