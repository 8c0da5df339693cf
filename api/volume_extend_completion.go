package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.extend_volume_completion", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-extend_volume_completion", Status: http.StatusAccepted, Object: true, Handler: s.completeExtend,
			Policy: []string{"volume:get", "volume_extension:volume_admin_actions:extend_volume_completion"}}}
	})
}

// completeExtend is how a host says that it has extended a volume that only it
// can, or could not. Storage nodes here extend volumes themselves: that it went
// well is no news to the job, which gives the volume its size when the node has
// it. That a host could not use what has grown ends the extension.
func (s *Server) completeExtend(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Completion struct {
			Error boolish `json:"error"`
		} `json:"os-extend_volume_completion"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	switch {
	case v.Status != "extending":
		return nil, fault.New(fault.Invalid, "Invalid volume: Volume status must be extending, but current status is: %s.", v.Status)
	case v.TargetSizeGiB == nil:
		return nil, fault.New(fault.Invalid, "Invalid volume: Volume %s has no size to be extended to.", v.ID)
	case !bool(in.Completion.Error):
		return nil, nil
	}
	return nil, badRequest(c.tx(func(tx *db.Tx) error {
		return tx.FailExtend(c.Context(), v, db.ExtendFailed, "the host could not extend it")
	}))
}
