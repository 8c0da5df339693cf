package api

import (
	"net/http"

	"clinker/db"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.set_bootable", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-set_bootable", Status: http.StatusOK,
			Policy: []string{"volume:get", "volume:update"}, Object: true, Handler: s.setBootable}}
	})
}

func (s *Server) setBootable(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Set struct {
			Bootable boolish `json:"bootable"`
		} `json:"os-set_bootable"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := notInMaintenance(v, "The volume cannot be updated during maintenance."); err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		_, err := tx.UpdateVolume(c.Context(), v.ID, map[string]any{"bootable": bool(in.Set.Bootable)})
		return err
	})
}
