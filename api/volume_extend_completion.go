package api

import (
	"net/http"

	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.extend_volume_completion", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-extend_volume_completion", Status: http.StatusAccepted, Object: true, Handler: s.completeExtend,
			Policy: []string{"volume:get", "volume_extension:volume_admin_actions:extend_volume_completion"}}}
	})
}

// completeExtend is what a host says when it has extended a volume's file for a
// driver that cannot do so itself. No storage node here leaves that to a host, so
// that no volume waits for it.
func (s *Server) completeExtend(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	if v.Status != "extending" {
		return nil, fault.New(fault.Invalid, "Invalid volume: Volume status must be extending, but current status is: %s.", v.Status)
	}
	return nil, fault.New(fault.Invalid, "Invalid volume: Volume %s is being extended by its storage node, and by no host.", v.ID)
}
