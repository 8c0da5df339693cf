package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.revert", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "revert", Since: 40, Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume:revert_to_snapshot"}, Object: true, Handler: s.revertVolume}}
	})
}

// revertVolume puts a volume back to its newest snapshot. Unlike in Cinder the
// volume may have been extended since: it stays as long as it is, and is blank
// behind what the snapshot has.
func (s *Server) revertVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Revert struct {
			SnapshotID *string `json:"snapshot_id"`
		} `json:"revert"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	latest, err := c.database().LatestSnapshot(c.Context(), v.ID)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Wrap(err, fault.Invalid, "%s", fault.MessageOf(err))
	}
	if err != nil {
		return nil, err
	}
	asked := in.Revert.SnapshotID
	if asked == nil || *asked != latest.ID {
		return nil, fault.New(fault.Invalid, "Specified snapshot %s is None or not the latest one of volume %s.", orNone(asked), v.ID)
	}
	if v.SizeGiB < latest.SizeGiB {
		return nil, fault.New(fault.Invalid, "Can't revert volume %s to its latest snapshot %s. The volume must not be smaller than the snapshot.", v.ID, latest.ID)
	}
	if err := revertible(v, latest); err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.BeginRevert(c.Context(), v, latest, c.RequestID) })
}

// revertible words as Cinder does what the transaction would refuse.
func revertible(v db.Volume, latest db.Snapshot) error {
	const text = "%s: Can't revert volume %s to its latest snapshot %s. %s's status must be 'available'."
	switch {
	case v.Status != "available":
		return fault.New(fault.Conflict, text, "Invalid volume", v.ID, latest.ID, "Volume")
	case latest.Status != db.SnapshotAvailable:
		return fault.New(fault.Conflict, text, "Invalid snapshot", v.ID, latest.ID, "Snapshot")
	}
	return nil
}

func orNone(text *string) string {
	if text == nil {
		return "None"
	}
	return *text
}
