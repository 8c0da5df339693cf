package api

import (
	"maps"
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(volumeImageMetadataRoutes) }

func volumeImageMetadataRoutes(s *Server) []Route {
	const path, rule = "/volumes/:volume_id/action", "volume_extension:volume_image_metadata:"
	return []Route{
		{Name: "volume_actions.set_image_metadata", Method: "POST", Path: path, Action: "os-set_image_metadata", Status: http.StatusOK,
			Policy: []string{rule + "set", "volume:update_volume_metadata"}, Object: true, Handler: s.setImageMetadata},
		{Name: "volume_actions.unset_image_metadata", Method: "POST", Path: path, Action: "os-unset_image_metadata", Status: http.StatusOK,
			Policy: []string{rule + "remove", "volume:get_volume_metadata", "volume:delete_volume_metadata"}, Object: true,
			Handler: s.unsetImageMetadata},
		{Name: "volume_actions.show_image_metadata", Method: "POST", Path: path, Action: "os-show_image_metadata", Status: http.StatusOK,
			Policy: []string{"volume:get", "volume:get_volume_metadata"}, Object: true, Handler: s.showImageMetadata},
	}
}

// imageValueBytes is the longest value of an image's property, in UTF-8.
const imageValueBytes = 65535

// showImageMetadata answers 404 when there is none, as Cinder does.
func (s *Server) showImageMetadata(c *Call) (View, error) {
	v, err := c.volume()
	if err == nil && len(v.ImageMetadata) == 0 {
		err = noImageMetadata(v)
	}
	return metadataView(v.ImageMetadata), err
}

func noImageMetadata(v db.Volume) error {
	return fault.New(fault.NotFound, "Glance metadata for volume/snapshot %s cannot be found.", v.ID)
}

// setImageMetadata adds to what is known of the volume's image and answers with
// all of it.
func (s *Server) setImageMetadata(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Set struct {
			Metadata map[string]string `json:"metadata"`
		} `json:"os-set_image_metadata"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	for key, value := range in.Set.Metadata {
		if len(value) > imageValueBytes {
			return nil, fault.New(fault.Invalid, "Invalid input for field/attribute metadata: the value of %s is longer than %d bytes.", key, imageValueBytes)
		}
	}
	m, err := c.changeImageMetadata(v, "Updating", func(now db.StringMap) (db.StringMap, error) { return now.With(in.Set.Metadata), nil })
	return metadataView(m), err
}

func (s *Server) unsetImageMetadata(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	var in struct {
		Unset struct {
			Key string `json:"key"`
		} `json:"os-unset_image_metadata"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	_, err = c.changeImageMetadata(v, "Deleting", func(now db.StringMap) (db.StringMap, error) {
		if _, known := now[in.Unset.Key]; !known {
			return nil, noImageMetadata(v)
		}
		left := maps.Clone(now)
		delete(left, in.Unset.Key)
		return left, nil
	})
	return nil, err
}

// changeImageMetadata changes it while nobody else does.
func (c *Call) changeImageMetadata(v db.Volume, doing string, change metadataChange) (m db.StringMap, err error) {
	return m, c.tx(func(tx *db.Tx) error {
		m, err = tx.ChangeImageMetadata(c.Context(), v.ID, inItsStatus(doing, change))
		return err
	})
}
