package api

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(groupTypeRoutes) }

func groupTypeRoutes(s *Server) []Route {
	const items, item = "/group_types", "/group_types/:group_type_id"
	const since Version = 11
	return []Route{
		{Name: "group_types.list", Method: "GET", Path: items, Since: since, Status: http.StatusOK, Handler: s.listGroupTypes},
		{Name: "group_types.show", Method: "GET", Path: item, Since: since, Status: http.StatusOK, Handler: s.showGroupType},
		{Name: "group_types.create", Method: "POST", Path: items, Since: since, Status: http.StatusAccepted,
			Policy: []string{"group:group_types:create"}, Handler: s.createGroupType},
		{Name: "group_types.update", Method: "PUT", Path: item, Since: since, Status: http.StatusOK,
			Policy: []string{"group:group_types:update"}, Handler: s.updateGroupType},
		{Name: "group_types.delete", Method: "DELETE", Path: item, Since: since, Status: http.StatusAccepted,
			Policy: []string{"group:group_types:delete"}, Handler: s.deleteGroupType},
	}
}

// showGroupType also answers for the literal id default.
func (s *Server) showGroupType(c *Call) (View, error) {
	if c.Param("group_type_id") == "default" {
		return s.showDefaultGroupType(c)
	}
	kind, err := c.database().GroupType(c.Context(), c.Param("group_type_id"), c.Identity.IsAdmin)
	return c.groupTypeAnswer(kind), err
}

func (s *Server) showDefaultGroupType(c *Call) (View, error) {
	missing := fault.New(fault.NotFound, "Default group type can not be found.")
	if s.DefaultGroupType == "" {
		return nil, missing
	}
	kind, err := c.database().GroupTypeByName(c.Context(), s.DefaultGroupType, true)
	if fault.Is(err, fault.NotFound) {
		err = missing
	}
	return c.groupTypeAnswer(kind), err
}

// groupTypesSeen: an administrator chooses by is_public, as with volume types;
// others see what is public.
func (c *Call) groupTypesSeen() ([]db.Condition, error) {
	text := c.Query.Get("is_public")
	switch {
	case !c.Identity.IsAdmin || !c.Query.Has("is_public"):
		return []db.Condition{db.GroupTypesPublic(true)}, nil
	case strings.EqualFold(text, "none"):
		return nil, nil
	}
	public, known := booleans[strings.ToLower(strings.TrimSpace(text))]
	if !known {
		return nil, fault.New(fault.Invalid, "Invalid is_public filter [%s]", text)
	}
	return []db.Condition{db.GroupTypesPublic(public)}, nil
}

// listGroupTypes takes an unknown marker for none, and other filters for nothing,
// as Cinder does here.
func (s *Server) listGroupTypes(c *Call) (View, error) {
	q, err := c.page(nil)
	if err != nil {
		return nil, err
	}
	if q.Where, err = c.groupTypesSeen(); err != nil {
		return nil, err
	}
	found, err := c.database().GroupTypes(c.Context(), q)
	if fault.Is(err, fault.NotFound) && q.Marker != "" {
		q.Marker = ""
		found, err = c.database().GroupTypes(c.Context(), q)
	}
	if err != nil {
		return nil, err
	}
	specs := c.Can("group:access_group_types_specs", c.caller())
	return func(o object) {
		objects(o, "group_types", found, func(o object, t db.GroupType) { groupTypeFields(o, t, specs) })
		if len(found) > 0 {
			c.next(o, "group_type_links", "/group_types", q, len(found), found[len(found)-1].ID)
		}
	}, nil
}

// groupTypeFields has the fields of group_type (fields.tsv).
func groupTypeFields(o object, t db.GroupType, specs bool) {
	o.str("id", t.ID)
	o.str("name", t.Name)
	o.text("description", t.Description)
	o.bool("is_public", t.IsPublic)
	if specs {
		o.strings("group_specs", t.GroupSpecs)
	}
}

func (c *Call) groupTypeAnswer(t db.GroupType) View {
	specs := c.Can("group:access_group_types_specs", c.caller())
	return func(o object) {
		o.object("group_type", func(o object) { groupTypeFields(o, t, specs) })
	}
}

func (s *Server) createGroupType(c *Call) (View, error) {
	var in struct {
		Type struct {
			Name        string       `json:"name"`
			Description *string      `json:"description"`
			IsPublic    *boolish     `json:"is_public"`
			GroupSpecs  db.StringMap `json:"group_specs"`
		} `json:"group_type"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	kind := db.GroupType{ID: uuid.NewString(), Name: in.Type.Name, Description: in.Type.Description, IsPublic: true, GroupSpecs: in.Type.GroupSpecs}
	if in.Type.IsPublic != nil {
		kind.IsPublic = bool(*in.Type.IsPublic)
	}
	err := c.tx(func(tx *db.Tx) error { return tx.InsertGroupType(c.Context(), &kind) })
	return c.groupTypeAnswer(kind), err
}

func (s *Server) updateGroupType(c *Call) (View, error) {
	var in struct {
		Type typeChange `json:"group_type"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	set, err := in.Type.columns("Group")
	if err != nil {
		return nil, err
	}
	if len(set) == 0 {
		return nil, fault.New(fault.Invalid, "Specify group type name, description or a combination thereof.")
	}
	var kind db.GroupType
	err = c.tx(func(tx *db.Tx) error {
		before, err := tx.LockGroupType(c.Context(), c.Param("group_type_id"))
		if err == nil {
			kind, err = tx.UpdateGroupType(c.Context(), before.ID, set)
		}
		return err
	})
	return c.groupTypeAnswer(kind), err
}

func (s *Server) deleteGroupType(c *Call) (View, error) {
	return nil, c.tx(func(tx *db.Tx) error { return tx.DeleteGroupType(c.Context(), c.Param("group_type_id")) })
}
