package api

import (
	"maps"
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(volumeMetadataRoutes) }

func volumeMetadataRoutes(s *Server) []Route {
	const items, item = "/volumes/:volume_id/metadata", "/volumes/:volume_id/metadata/:key"
	const get, read = "volume:get", "volume:get_volume_metadata"
	const create, update, remove = "volume:create_volume_metadata", "volume:update_volume_metadata", "volume:delete_volume_metadata"
	return []Route{
		{Name: "volume_metadata.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{get, read}, Object: true, Handler: s.listMetadata},
		{Name: "volume_metadata.create", Method: "POST", Path: items, Status: http.StatusOK,
			Policy: []string{get, create}, Object: true, Handler: s.mergeMetadata},
		{Name: "volume_metadata.replace", Method: "PUT", Path: items, Status: http.StatusOK,
			Policy: []string{get, update}, Object: true, Handler: s.replaceMetadata},
		{Name: "volume_metadata.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{get, read}, Object: true, Handler: s.showMetadata},
		{Name: "volume_metadata.set", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{get, update}, Object: true, Handler: s.setMetadata},
		{Name: "volume_metadata.delete", Method: "DELETE", Path: item, Status: http.StatusOK,
			Policy: []string{get, read, remove}, Object: true, Handler: s.deleteMetadata},
	}
}

func metadataView(m map[string]string) View {
	return func(o object) { o.strings("metadata", m) }
}

// listMetadata carries an Etag from 3.15 on, and then the media type that
// Cinder's answer happens to have.
func (s *Server) listMetadata(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	if c.Since(15) {
		c.header.Set("Etag", metadataTag(v.Metadata))
		c.header.Set("Content-Type", "text/html; charset=UTF-8")
	}
	return metadataView(v.Metadata), nil
}

func (s *Server) showMetadata(c *Call) (View, error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	key := c.Param("key")
	value, known := v.Metadata[key]
	if !known {
		return nil, db.MetadataNotFound(v.ID, key)
	}
	return func(o object) { o.strings("meta", map[string]string{key: value}) }, nil
}

// mergeMetadata adds to the metadata and answers with all of it.
func (s *Server) mergeMetadata(c *Call) (View, error) {
	var in metadataRequest
	m, err := c.changeMetadata(&in, "Updating", false, func(m db.StringMap) (db.StringMap, error) { return m.With(in.Metadata), nil })
	return metadataView(m), err
}

func (s *Server) replaceMetadata(c *Call) (View, error) {
	var in metadataRequest
	m, err := c.changeMetadata(&in, "Updating", true, func(db.StringMap) (db.StringMap, error) { return in.Metadata, nil })
	return metadataView(m), err
}

// setMetadata sets the one key that both the path and the body name.
func (s *Server) setMetadata(c *Call) (View, error) {
	var in metadataRequest
	_, err := c.changeMetadata(&in, "Updating", true, func(m db.StringMap) (db.StringMap, error) {
		if _, named := in.Meta[c.Param("key")]; !named {
			return nil, fault.New(fault.Invalid, "Request body and URI mismatch")
		}
		return m.With(in.Meta), nil
	})
	return func(o object) { o.strings("meta", in.Meta) }, err
}

func (s *Server) deleteMetadata(c *Call) (View, error) {
	_, err := c.changeMetadata(nil, "Deleting", false, func(m db.StringMap) (db.StringMap, error) {
		key := c.Param("key")
		if _, known := m[key]; !known {
			return nil, db.MetadataNotFound(c.Param("volume_id"), key)
		}
		left := maps.Clone(m)
		delete(left, key)
		return left, nil
	})
	return nil, err
}

// metadataRequest is the body of the operations on metadata: all of it, or one key.
type metadataRequest struct {
	Metadata db.StringMap `json:"metadata"`
	Meta     db.StringMap `json:"meta"`
}

// changeMetadata reads the body into in, if any, and changes the metadata while
// nobody else does; tagged changes hold it against If-Match first (3.15).
func (c *Call) changeMetadata(in *metadataRequest, doing string, tagged bool, change func(db.StringMap) (db.StringMap, error)) (m db.StringMap, err error) {
	v, err := c.volume()
	if err != nil {
		return nil, err
	}
	if in != nil {
		if err := c.Decode(in); err != nil {
			return nil, err
		}
	}
	return m, c.tx(func(tx *db.Tx) error {
		m, err = tx.ChangeMetadata(c.Context(), v.ID, func(status string, now db.StringMap) (db.StringMap, error) {
			if tagged && c.Since(15) && !tagMatches(c.request.Header.Get("If-Match"), metadataTag(now)) {
				return nil, fault.New(fault.Precondition, "The metadata has changed.")
			}
			next, err := change(now)
			if err == nil {
				err = metadataChangeable(status, doing)
			}
			return next, err
		})
		return err
	})
}

// metadataChangeable tells whether a volume's metadata may be changed in its status.
func metadataChangeable(status, doing string) error {
	if status != "maintenance" && status != "uploading" {
		return nil
	}
	return fault.New(fault.Invalid, "Invalid volume: %s volume metadata is not allowed for volumes in %s status.", doing, status)
}
