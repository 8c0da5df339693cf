package api

import (
	"encoding/json"
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.migrate_volume_completion", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-migrate_volume_completion", Status: http.StatusOK,
			Policy: []string{"volume:get", "volume_extension:volume_admin_actions:migrate_volume_completion"}, Object: true,
			Handler: s.completeMigration}}
	})
}

// completeMigration is what Nova says when it has copied a volume in use onto
// another, or could not. It answers which id the volume has from now on: its own,
// or the other's when a user has swapped two volumes and Cinder has no part in it.
func (s *Server) completeMigration(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Completion struct {
			NewVolume string          `json:"new_volume"`
			Error     json.RawMessage `json:"error"`
		} `json:"os-migrate_volume_completion"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	n, err := c.database().Volume(c.Context(), in.Completion.NewVolume, c.Scope())
	if err != nil {
		return nil, err
	}
	saved := v.ID
	switch {
	case v.MigrationStatus == nil && n.MigrationStatus == nil:
		saved = n.ID
	case v.MigrationStatus == nil:
		err = fault.New(fault.Invalid, "Invalid volume: Source volume not mid-migration.")
	case n.MigrationStatus == nil:
		err = fault.New(fault.Invalid, "Invalid volume: Destination volume not mid-migration.")
	case *n.MigrationStatus != db.TargetStatus(v.ID):
		err = fault.New(fault.Invalid, "Invalid volume: Destination has migration_status %s, expected %s.", *n.MigrationStatus, db.TargetStatus(v.ID))
	default:
		err = c.endSwap(v, n, truthy(in.Completion.Error))
	}
	return func(o object) { o.str("save_volume_id", saved) }, err
}

// endSwap exchanges the two volumes, or gives the new one up.
func (c *Call) endSwap(v, n db.Volume, failed bool) error {
	var to *db.Retype
	if v.Status == "retyping" {
		r, err := c.database().RetypeOf(c.Context(), v.ID)
		if err != nil {
			return err
		}
		to = &r
	}
	err := c.tx(func(tx *db.Tx) error {
		if failed {
			return tx.FailSwap(c.Context(), v.ID, n.ID, "the compute service could not copy it", c.RequestID)
		}
		return tx.Swap(c.Context(), v.ID, n.ID, to, c.RequestID)
	})
	if fault.Is(err, fault.Conflict) {
		err = fault.Wrap(err, fault.Invalid, "Invalid volume: %s", fault.MessageOf(err))
	}
	return err
}

// truthy takes the flag error as Cinder does, which looks whether there is anything:
// any text but an empty one means yes.
func truthy(raw json.RawMessage) bool {
	text := string(raw)
	return text != "" && text != "null" && text != "false" && text != `""`
}
