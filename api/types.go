package api

import (
	"net/http"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(typeRoutes) }

func typeRoutes(s *Server) []Route {
	const items, item = "/types", "/types/:type_id"
	return []Route{
		{Name: "types.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{"volume_extension:type_get_all"}, Handler: s.listTypes},
		{Name: "types.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{"volume_extension:type_get"}, Handler: s.showType},
		{Name: "types.create", Method: "POST", Path: items, Status: http.StatusOK,
			Policy: []string{"volume_extension:type_create"}, Handler: s.createType},
		{Name: "types.update", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{"volume_extension:type_update"}, Handler: s.updateType},
		{Name: "types.delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{"volume_extension:type_delete"}, Handler: s.deleteType},
	}
}

// typeScope is the project whose view of the types holds: "" (all of them) for
// an administrator.
func (c *Call) typeScope() string { return c.Scope() }

// volumeType reads the type that the path names, by id only. A private type
// that the caller's project was not given does not exist for them.
func (c *Call) volumeType() (db.VolumeType, error) {
	return c.database().VolumeType(c.Context(), c.Param("type_id"), c.typeScope())
}

// showType also answers for the literal id default: the type of volumes that
// are created without one. That answer has no os-volume-type-access:is_public.
func (s *Server) showType(c *Call) (View, error) {
	if c.Param("type_id") == "default" {
		kind, err := c.typeForCreate("")
		return c.typeAnswer(kind, false), err
	}
	kind, err := c.volumeType()
	return c.typeAnswer(kind, true), err
}

var typeFilters = filterSpec{
	resource: "volume_type",
	equal:    db.VolumeTypeFilter,
	since:    map[string]Version{"extra_specs": 52},
	refusing: 52,
	special: map[string]func(*Call, string) ([]db.Condition, error){
		"is_public":   func(*Call, string) ([]db.Condition, error) { return nil, nil }, // see typesSeen
		"extra_specs": typeSpecsFilter,
	},
}

// typeSpecsFilter lets tenants ask only for the extra specs that they see.
func typeSpecsFilter(c *Call, value string) ([]db.Condition, error) {
	specs, err := dict("extra_specs", value)
	if err != nil {
		return nil, err
	}
	sensitive := c.Can("volume_extension:types_extra_specs:read_sensitive", c.caller())
	for key := range specs {
		if !sensitive && !tenantSpecs[key] {
			return []db.Condition{db.Nothing}, nil
		}
	}
	return db.TypesWithSpecs(specs), nil
}

// typesSeen is the part of the types that a list is about: for tenants the
// public ones and those given to their project; an administrator chooses by
// is_public, with the same as default.
func (c *Call) typesSeen() ([]db.Condition, error) {
	own := db.TypesSeenBy(c.Identity.ProjectID)
	text := c.Query.Get("is_public")
	if !c.Identity.IsAdmin || !c.Query.Has("is_public") {
		return []db.Condition{own}, nil
	}
	if strings.EqualFold(text, "none") {
		return nil, nil
	}
	public, known := booleans[strings.ToLower(strings.TrimSpace(text))]
	switch {
	case !known:
		return nil, fault.New(fault.Invalid, "Invalid is_public filter [%s]", text)
	case public:
		return []db.Condition{own}, nil
	}
	return []db.Condition{db.PrivateTypes}, nil
}

// listTypes takes an unknown marker for none, as Cinder does here alone.
func (s *Server) listTypes(c *Call) (View, error) {
	q, err := c.page(nil)
	if err != nil {
		return nil, err
	}
	if q.Where, err = c.filters(typeFilters); err != nil {
		return nil, err
	}
	seen, err := c.typesSeen()
	if err != nil {
		return nil, err
	}
	q.Where = append(q.Where, seen...)
	found, err := c.database().VolumeTypes(c.Context(), q)
	if fault.Is(err, fault.NotFound) && q.Marker != "" {
		q.Marker = ""
		found, err = c.database().VolumeTypes(c.Context(), q)
	}
	if err != nil {
		return nil, err
	}
	see := c.typeVisible()
	return func(o object) {
		objects(o, "volume_types", found, func(o object, t db.VolumeType) { typeFields(o, t, see, true) })
		if len(found) > 0 {
			c.next(o, "volume_type_links", "/types", q, len(found), found[len(found)-1].ID)
		}
	}, nil
}
