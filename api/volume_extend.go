package api

import (
	"net/http"

	"clinker/db"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.extend", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-extend", Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume:extend"}, Object: true, Handler: s.extendVolume}}
	})
}

func (s *Server) extendVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Extend struct {
			NewSize gib `json:"new_size"`
		} `json:"os-extend"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	size := int(in.Extend.NewSize)
	if size <= v.SizeGiB {
		return nil, db.NotLonger(v, size)
	}
	move := db.ExtendBegin
	if c.Since(42) && v.Status == "in-use" {
		if err := c.Require("volume:extend_attached_volume", ownerOf(v)); err != nil {
			return nil, err
		}
		move = db.ExtendBeginInUse
	}
	if err := c.checkVolumeSize(size); err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		return tx.BeginExtend(c.Context(), v, move, size, c.RequestID, s.Limits)
	})
	return nil, badRequest(err)
}
