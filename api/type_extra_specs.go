package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(typeSpecRoutes) }

func typeSpecRoutes(s *Server) []Route {
	const items, item = "/types/:type_id/extra_specs", "/types/:type_id/extra_specs/:key"
	const rule = "volume_extension:types_extra_specs:"
	return []Route{
		{Name: "type_extra_specs.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{rule + "index"}, Handler: s.listTypeSpecs},
		{Name: "type_extra_specs.create", Method: "POST", Path: items, Status: http.StatusOK,
			Policy: []string{rule + "create"}, Handler: s.createTypeSpecs},
		{Name: "type_extra_specs.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{rule + "show"}, Handler: s.showTypeSpec},
		{Name: "type_extra_specs.update", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{rule + "update"}, Handler: s.updateTypeSpec},
		{Name: "type_extra_specs.delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{rule + "delete"}, Handler: s.deleteTypeSpec},
	}
}

// typeSpecs reads the extra specs of the type in the path, as far as the caller
// is told of them.
func (c *Call) typeSpecs() (map[string]string, error) {
	kind, err := c.volumeType()
	if err != nil {
		return nil, err
	}
	return shownSpecs(kind.ExtraSpecs, c.Can("volume_extension:types_extra_specs:read_sensitive", c.caller())), nil
}

func (s *Server) listTypeSpecs(c *Call) (View, error) {
	specs, err := c.typeSpecs()
	return func(o object) { o.strings("extra_specs", specs) }, err
}

func (s *Server) showTypeSpec(c *Call) (View, error) {
	specs, err := c.typeSpecs()
	if err != nil {
		return nil, err
	}
	key := c.Param("key")
	value, known := specs[key]
	if !known {
		return nil, db.TypeSpecNotFound(c.Param("type_id"), key)
	}
	return func(o object) { o.entry(key, value) }, nil
}

func (s *Server) createTypeSpecs(c *Call) (View, error) {
	var in struct {
		Specs db.StringMap `json:"extra_specs"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := c.setTypeSpecs(in.Specs); err != nil {
		return nil, err
	}
	return func(o object) { o.strings("extra_specs", in.Specs) }, nil
}

func (s *Server) updateTypeSpec(c *Call) (View, error) {
	return c.updateSpec(c.setTypeSpecs)
}

// setTypeSpecs adds or changes extra specs; the others stay.
func (c *Call) setTypeSpecs(specs db.StringMap) error {
	return c.tx(func(tx *db.Tx) error {
		kind, err := tx.LockUnusedType(c.Context(), c.Param("type_id"))
		if err != nil {
			return err
		}
		all := kind.ExtraSpecs.With(specs)
		if err := checkCacheable(all); err != nil {
			return err
		}
		_, err = tx.UpdateVolumeType(c.Context(), kind.ID, map[string]any{"extra_specs": all})
		return err
	})
}

func (s *Server) deleteTypeSpec(c *Call) (View, error) {
	return nil, c.tx(func(tx *db.Tx) error {
		kind, err := tx.LockUnusedType(c.Context(), c.Param("type_id"))
		if err != nil {
			return err
		}
		if _, known := kind.ExtraSpecs[c.Param("key")]; !known {
			return db.TypeSpecNotFound(kind.ID, c.Param("key"))
		}
		left := kind.ExtraSpecs.With(nil)
		delete(left, c.Param("key"))
		_, err = tx.UpdateVolumeType(c.Context(), kind.ID, map[string]any{"extra_specs": left})
		return err
	})
}

// checkCacheable refuses what would have several hosts cache writes apart from
// each other.
func checkCacheable(specs map[string]string) error {
	if s := db.StringMap(specs); s.IsTrue("cacheable") && s.IsTrue("multiattach") {
		return fault.New(fault.Invalid, "cacheable cannot be set with multiattach.")
	}
	return nil
}

// updateSpec changes the spec that the path names, to what the body says of it.
func (c *Call) updateSpec(set func(db.StringMap) error) (View, error) {
	var specs db.StringMap
	if err := c.Decode(&specs); err != nil {
		return nil, err
	}
	key := c.Param("key")
	value, named := specs[key]
	if !named {
		return nil, fault.New(fault.Invalid, "Request body and URI mismatch")
	}
	if err := set(specs); err != nil {
		return nil, err
	}
	return func(o object) { o.entry(key, value) }, nil
}
