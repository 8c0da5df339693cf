package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(typeAccessRoutes) }

func typeAccessRoutes(s *Server) []Route {
	const item, rule = "/types/:type_id", "volume_extension:volume_type_access:"
	return []Route{
		{Name: "type_access.list", Method: "GET", Path: item + "/os-volume-type-access", Status: http.StatusOK,
			Policy: []string{rule + "get_all_for_type"}, Handler: s.listTypeAccess},
		{Name: "type_access.add", Method: "POST", Path: item + "/action", Action: "addProjectAccess", Status: http.StatusAccepted,
			Policy: []string{rule + "addProjectAccess"}, Handler: s.addTypeAccess},
		{Name: "type_access.remove", Method: "POST", Path: item + "/action", Action: "removeProjectAccess", Status: http.StatusAccepted,
			Policy: []string{rule + "removeProjectAccess"}, Handler: s.removeTypeAccess},
	}
}

// listTypeAccess is all of a private type's projects at once.
func (s *Server) listTypeAccess(c *Call) (View, error) {
	kind, err := c.volumeType()
	if err == nil && kind.IsPublic {
		err = fault.New(fault.NotFound, "Access list not available for public volume types.")
	}
	if err != nil {
		return nil, err
	}
	projects, err := c.database().TypeAccess(c.Context(), kind.ID)
	return func(o object) {
		objects(o, "volume_type_access", projects, func(o object, project string) {
			o.str("volume_type_id", kind.ID)
			o.str("project_id", project)
		})
	}, err
}

// accessRequest is the body of both actions.
type accessRequest struct {
	Project string `json:"project"`
}

func (s *Server) addTypeAccess(c *Call) (View, error) {
	var in struct {
		Add accessRequest `json:"addProjectAccess"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.AllowType(c.Context(), c.Param("type_id"), in.Add.Project) })
}

func (s *Server) removeTypeAccess(c *Call) (View, error) {
	var in struct {
		Remove accessRequest `json:"removeProjectAccess"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.DisallowType(c.Context(), c.Param("type_id"), in.Remove.Project) })
}
