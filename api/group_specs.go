package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(groupSpecRoutes) }

func groupSpecRoutes(s *Server) []Route {
	const items, item = "/group_types/:group_type_id/group_specs", "/group_types/:group_type_id/group_specs/:key"
	const rule, since = "group:group_types_specs:", Version(11)
	return []Route{
		{Name: "group_specs.list", Method: "GET", Path: items, Since: since, Status: http.StatusOK,
			Policy: []string{rule + "get_all"}, Handler: s.listGroupSpecs},
		{Name: "group_specs.create", Method: "POST", Path: items, Since: since, Status: http.StatusAccepted,
			Policy: []string{rule + "create"}, Handler: s.createGroupSpecs},
		{Name: "group_specs.show", Method: "GET", Path: item, Since: since, Status: http.StatusOK,
			Policy: []string{rule + "get"}, Handler: s.showGroupSpec},
		{Name: "group_specs.update", Method: "PUT", Path: item, Since: since, Status: http.StatusOK,
			Policy: []string{rule + "update"}, Handler: s.updateGroupSpec},
		{Name: "group_specs.delete", Method: "DELETE", Path: item, Since: since, Status: http.StatusAccepted,
			Policy: []string{rule + "delete"}, Handler: s.deleteGroupSpec},
	}
}

// groupSpecs reads the specs of the group type in the path.
func (c *Call) groupSpecs() (db.StringMap, error) {
	kind, err := c.database().GroupType(c.Context(), c.Param("group_type_id"), c.Identity.IsAdmin)
	return kind.GroupSpecs, err
}

func (s *Server) listGroupSpecs(c *Call) (View, error) {
	specs, err := c.groupSpecs()
	return func(o object) { o.strings("group_specs", specs) }, err
}

func (s *Server) showGroupSpec(c *Call) (View, error) {
	specs, err := c.groupSpecs()
	if err != nil {
		return nil, err
	}
	key := c.Param("key")
	value, known := specs[key]
	if !known {
		return nil, fault.New(fault.NotFound, "Group Type %s has no extra spec with key %s.", c.Param("group_type_id"), key)
	}
	return func(o object) { o.entry(key, value) }, nil
}

// createGroupSpecs adds or changes specs and answers with what was sent.
func (s *Server) createGroupSpecs(c *Call) (View, error) {
	var in struct {
		Specs db.StringMap `json:"group_specs"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := c.setGroupSpecs(in.Specs); err != nil {
		return nil, err
	}
	return func(o object) { o.strings("group_specs", in.Specs) }, nil
}

func (s *Server) updateGroupSpec(c *Call) (View, error) {
	return c.updateSpec(c.setGroupSpecs)
}

func (c *Call) setGroupSpecs(specs db.StringMap) error {
	return c.changeGroupSpecs(func(m db.StringMap) (db.StringMap, error) { return m.With(specs), nil })
}

func (s *Server) deleteGroupSpec(c *Call) (View, error) {
	return nil, c.changeGroupSpecs(func(m db.StringMap) (db.StringMap, error) {
		key := c.Param("key")
		if _, known := m[key]; !known {
			return nil, fault.New(fault.NotFound, "Group Type %s has no specs with key %s.", c.Param("group_type_id"), key)
		}
		left := m.With(nil)
		delete(left, key)
		return left, nil
	})
}

// changeGroupSpecs changes the specs while nobody else does.
func (c *Call) changeGroupSpecs(change func(db.StringMap) (db.StringMap, error)) error {
	return c.tx(func(tx *db.Tx) error {
		kind, err := tx.LockGroupType(c.Context(), c.Param("group_type_id"))
		if err != nil {
			return err
		}
		specs, err := change(kind.GroupSpecs)
		if err != nil {
			return err
		}
		_, err = tx.UpdateGroupType(c.Context(), kind.ID, map[string]any{"group_specs": specs})
		return err
	})
}
