package api

import (
	"net/http"
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/glance"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "volume_actions.reimage", Method: "POST", Path: "/volumes/:volume_id/action",
			Action: "os-reimage", Since: 68, Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume:reimage"}, Object: true, Handler: s.reimageVolume}}
	})
}

// reimageVolume has an image take the place of what a volume holds. A reserved one
// has a rule of its own: who has reserved it, as Nova does for a rebuild, must
// know of it.
func (s *Server) reimageVolume(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	if v.Status == "reserved" {
		if err := c.Require("volume:reimage_reserved", ownerOf(v)); err != nil {
			return nil, err
		}
	}
	var in struct {
		Reimage struct {
			ImageID  string  `json:"image_id"`
			Reserved boolish `json:"reimage_reserved"`
		} `json:"os-reimage"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	move := db.ReimageBegin
	if in.Reimage.Reserved {
		move = db.ReimageBeginReserved
	}
	if err := c.mayReimage(v, move); err != nil {
		return nil, err
	}
	image, err := c.imageFor(v, in.Reimage.ImageID)
	if err != nil {
		return nil, err
	}
	work, err := c.reimageKey(v, image)
	if err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		work.keep(tx, v.ID)
		return tx.BeginReimage(c.Context(), v.ID, move, db.Reimage{ImageID: image.ID, Metadata: image.Metadata()}, c.RequestID)
	})
	if err != nil {
		work.abandon()
	}
	return nil, badRequest(err)
}

// mayReimage words as Cinder does what the transaction would refuse.
func (c *Call) mayReimage(v db.Volume, move db.Move) error {
	attachments, err := c.database().AttachmentsOf(c.Context(), v.ID)
	switch {
	case err != nil:
		return err
	case len(attachments[v.ID]) > 1:
		return fault.New(fault.Conflict, "Cannot re-image a volume which is attached to more than one server.")
	case !slices.Contains(move.From, v.Status):
		return fault.New(fault.Invalid, "Invalid volume: Volume %s status must be %s, but current status is %s.", v.ID, strings.Join(move.From, " or "), v.Status)
	}
	return nil
}

// imageFor finds the image that a volume is to hold. One that the caller may not
// use does not exist for them.
func (c *Call) imageFor(v db.Volume, id string) (glance.Image, error) {
	missing := fault.New(fault.NotFound, "Image %s could not be found.", id)
	if c.server.Images == nil {
		return glance.Image{}, missing
	}
	image, err := c.server.Images.Image(c.Context(), c.request.Header.Get("X-Auth-Token"), id)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Unauthorized) {
		err = missing
	}
	if err == nil {
		err = c.usable(image)
	}
	if err == nil {
		err = imageFits(image, v.SizeGiB)
	}
	return image, err
}
