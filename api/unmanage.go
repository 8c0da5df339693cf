package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{
			{Name: "volume_actions.unmanage", Method: "POST", Path: "/volumes/:volume_id/action", Action: "os-unmanage", Status: http.StatusAccepted,
				Policy: []string{"volume:get", "volume_extension:volume_unmanage", "volume:delete"}, Object: true, Handler: s.unmanageVolume},
			{Name: "snapshot_actions.unmanage", Method: "POST", Path: "/snapshots/:snapshot_id/action", Action: "os-unmanage", Status: http.StatusAccepted,
				Policy: []string{"volume:get_snapshot", "snapshot_extension:snapshot_unmanage", "volume:delete_snapshot"}, Object: true, Handler: s.unmanageSnapshot},
		}
	})
}

// unmanageVolume lets a volume go: it stays in its pool, with all it holds, and
// is no concern of this service any more.
func (s *Server) unmanageVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	if v.EncryptionKeyID != nil {
		return nil, fault.New(fault.Invalid, "Unmanaging encrypted volumes is not supported.")
	}
	err = c.tx(func(tx *db.Tx) error {
		if err := tx.BeginUnmanage(c.Context(), v.ID, undeletable, c.RequestID); err != nil {
			return err
		}
		attachments, err := tx.AttachmentsIn(c.Context(), v.ID)
		if err == nil && len(attachments) > 0 {
			err = fault.New(fault.Invalid, undeletable)
		}
		return err
	})
	if fault.Is(err, fault.Conflict) {
		err = fault.Wrap(err, fault.Invalid, undeletable)
	}
	return nil, err
}

func (s *Server) unmanageSnapshot(c *Call) (View, error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error { return tx.BeginSnapshotUnmanage(c.Context(), snap.ID, c.RequestID) })
	if fault.Is(err, fault.Conflict) {
		err = fault.Wrap(err, fault.Invalid, "%s", undeletableSnapshot)
	}
	return nil, err
}
