package api

import (
	"net/http"

	"clinker/db"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.update_readonly_flag", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-update_readonly_flag", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume:update_readonly_flag"}, Object: true, Handler: s.updateReadonlyFlag}}
	})
}

// updateReadonlyFlag decides how a free volume will be attached from now on.
// Nobody can write through an attachment that was made read-only: its target
// refuses.
func (s *Server) updateReadonlyFlag(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Update struct {
			Readonly boolish `json:"readonly"`
		} `json:"os-update_readonly_flag"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error { return tx.SetReadonly(c.Context(), v.ID, bool(in.Update.Readonly)) })
	return nil, badRequest(err)
}
