package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		const path, rule = "/volumes/:volume_id/action", "volume_extension:volume_actions:"
		return []Route{
			{Name: "volume_actions.reserve", Method: "POST", Path: path, Action: "os-reserve", Status: http.StatusAccepted,
				Policy: []string{"volume:get", rule + "reserve"}, Object: true, Handler: s.reserveVolume},
			{Name: "volume_actions.unreserve", Method: "POST", Path: path, Action: "os-unreserve", Status: http.StatusAccepted,
				Policy: []string{"volume:get", rule + "unreserve"}, Object: true, Handler: s.unreserveVolume},
		}
	})
}

// reserveVolume holds a volume for an attachment to come. Of many that ask at
// once, one gets it.
func (s *Server) reserveVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	move, statuses := db.Hold, "available"
	if v.Multiattach {
		if err := c.allowMore(v); err != nil {
			return nil, err
		}
		move, statuses = db.HoldMore, "available or in-use"
	}
	err = c.tx(func(tx *db.Tx) error { return tx.Hold(c.Context(), v.ID, move) })
	if !fault.Is(err, fault.Conflict) {
		return nil, err
	}
	if v, err = c.database().Volume(c.Context(), v.ID, ""); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Invalid, "Invalid volume: Volume status must be %s to reserve, but the status is %s.", statuses, v.Status)
}

// allowMore asks for what a second attachment of a volume to boot from needs.
func (c *Call) allowMore(v db.Volume) error {
	if v.Multiattach && v.Bootable && v.Status != "available" {
		return c.Require("volume:multiattach_bootable_volume", ownerOf(v))
	}
	return nil
}

// unreserveVolume takes back os-reserve, and with it the connections that have
// been made under it and were never attached. In any other status it does
// nothing, so that it may be repeated.
func (s *Server) unreserveVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil || v.Status != "attaching" {
		return nil, err
	}
	if err := c.endInitialized(v, nil); err != nil {
		return nil, terminateFailure(err)
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.Release(c.Context(), v.ID, db.Unreserve) })
}
