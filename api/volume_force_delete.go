package api

import "net/http"

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.force_delete", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-force_delete", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume_extension:volume_admin_actions:force_delete", "volume:delete"},
			Object: true, Handler: s.forceDeleteVolume}}
	})
}

// forceDeleteVolume deletes whatever the status, but not what is attached, in a
// group or has snapshots.
func (s *Server) forceDeleteVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	return nil, c.beginDelete(v, true, false)
}
