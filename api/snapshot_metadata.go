package api

import (
	"maps"
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(snapshotMetadataRoutes) }

func snapshotMetadataRoutes(s *Server) []Route {
	const items, item = "/snapshots/:snapshot_id/metadata", "/snapshots/:snapshot_id/metadata/:key"
	const get, read = "volume:get_snapshot", "volume:get_snapshot_metadata"
	const update, remove = "volume:update_snapshot_metadata", "volume:delete_snapshot_metadata"
	return []Route{
		{Name: "snapshot_metadata.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{get, read}, Object: true, Handler: s.listSnapshotMetadata},
		{Name: "snapshot_metadata.create", Method: "POST", Path: items, Status: http.StatusOK,
			Policy: []string{get, update}, Object: true, Handler: s.mergeSnapshotMetadata},
		{Name: "snapshot_metadata.replace", Method: "PUT", Path: items, Status: http.StatusOK,
			Policy: []string{get, update}, Object: true, Handler: s.replaceSnapshotMetadata},
		{Name: "snapshot_metadata.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{get, read}, Object: true, Handler: s.showSnapshotMetadata},
		{Name: "snapshot_metadata.set", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{get, update}, Object: true, Handler: s.setSnapshotMetadata},
		{Name: "snapshot_metadata.delete", Method: "DELETE", Path: item, Status: http.StatusOK,
			Policy: []string{get, read, remove}, Object: true, Handler: s.deleteSnapshotMetadata},
	}
}

func (s *Server) listSnapshotMetadata(c *Call) (View, error) {
	snap, err := c.snapshot()
	return metadataView(snap.Metadata), err
}

func (s *Server) showSnapshotMetadata(c *Call) (View, error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	key := c.Param("key")
	value, known := snap.Metadata[key]
	if !known {
		return nil, db.SnapshotMetadataNotFound(snap.ID, key)
	}
	return func(o object) { o.strings("meta", map[string]string{key: value}) }, nil
}

// mergeSnapshotMetadata adds to the metadata and answers with all of it.
func (s *Server) mergeSnapshotMetadata(c *Call) (View, error) {
	var in metadataRequest
	m, err := c.changeSnapshotMetadata(&in, func(m db.StringMap) (db.StringMap, error) { return m.With(in.Metadata), nil })
	return metadataView(m), err
}

func (s *Server) replaceSnapshotMetadata(c *Call) (View, error) {
	var in metadataRequest
	m, err := c.changeSnapshotMetadata(&in, func(db.StringMap) (db.StringMap, error) { return in.Metadata, nil })
	return metadataView(m), err
}

// setSnapshotMetadata sets the one key that both the path and the body name.
func (s *Server) setSnapshotMetadata(c *Call) (View, error) {
	var in metadataRequest
	_, err := c.changeSnapshotMetadata(&in, func(m db.StringMap) (db.StringMap, error) {
		if _, named := in.Meta[c.Param("key")]; !named {
			return nil, fault.New(fault.Invalid, "Request body and URI mismatch")
		}
		return m.With(in.Meta), nil
	})
	return func(o object) { o.strings("meta", in.Meta) }, err
}

func (s *Server) deleteSnapshotMetadata(c *Call) (View, error) {
	_, err := c.changeSnapshotMetadata(nil, func(m db.StringMap) (db.StringMap, error) {
		key := c.Param("key")
		if _, known := m[key]; !known {
			return nil, db.SnapshotMetadataNotFound(c.Param("snapshot_id"), key)
		}
		left := maps.Clone(m)
		delete(left, key)
		return left, nil
	})
	return nil, err
}

// changeSnapshotMetadata reads the body into in, if any, and changes the
// metadata while nobody else does.
func (c *Call) changeSnapshotMetadata(in *metadataRequest, change func(db.StringMap) (db.StringMap, error)) (m db.StringMap, err error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	if in != nil {
		if err := c.Decode(in); err != nil {
			return nil, err
		}
	}
	return m, c.tx(func(tx *db.Tx) error {
		m, err = tx.ChangeSnapshotMetadata(c.Context(), snap.ID, change)
		return err
	})
}
