package api

import (
	"context"
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(defaultTypeRoutes) }

func defaultTypeRoutes(s *Server) []Route {
	const items, item, rule = "/default-types", "/default-types/:target_project_id", "volume_extension:default_"
	return []Route{
		{Name: "default_types.list", Method: "GET", Path: items, Since: 62, Status: http.StatusOK,
			Policy: []string{rule + "get_all"}, Object: true, Handler: s.listDefaultTypes},
		{Name: "default_types.show", Method: "GET", Path: item, Since: 62, Status: http.StatusOK,
			Policy: []string{rule + "get"}, Object: true, Handler: s.showDefaultType},
		{Name: "default_types.set", Method: "PUT", Path: item, Since: 62, Status: http.StatusOK,
			Policy: []string{rule + "set_or_update"}, Object: true, Handler: s.setDefaultType},
		{Name: "default_types.unset", Method: "DELETE", Path: item, Since: 62, Status: http.StatusNoContent,
			Policy: []string{rule + "unset"}, Object: true, Handler: s.unsetDefaultType},
	}
}

// Projects tells whether the identity service knows a project.
type Projects interface {
	// ProjectExists may be repeated; Unavailable when nobody can tell.
	ProjectExists(ctx context.Context, id string) (bool, error)
}

// targetProject is the project that the path names. Who may not ask learns
// nothing about it, not even whether there is one.
func (c *Call) targetProject() (string, error) {
	project := c.Param("target_project_id")
	if err := c.allowDefaultTypes(Owner{ProjectID: project}); err != nil {
		return project, err
	}
	if c.server.Projects == nil || project == c.Identity.ProjectID {
		return project, nil
	}
	exists, err := c.server.Projects.ProjectExists(c.Context(), project)
	if err == nil && !exists {
		err = fault.New(fault.NotFound, "Project with id %s not found.", project)
	}
	return project, err
}

// allowDefaultTypes refuses in Cinder's words for this family.
func (c *Call) allowDefaultTypes(owner Owner) error {
	err := c.Allow(owner)
	if fault.Is(err, fault.Forbidden) {
		return fault.Wrap(err, fault.Forbidden, "You are not authorized to perform this operation.")
	}
	return err
}

func defaultTypeFields(o object, d db.DefaultType) {
	o.str("project_id", d.ProjectID)
	o.str("volume_type_id", d.VolumeTypeID)
}

func defaultTypeAnswer(d db.DefaultType) View {
	return func(o object) {
		o.object("default_type", func(o object) { defaultTypeFields(o, d) })
	}
}

func (s *Server) listDefaultTypes(c *Call) (View, error) {
	if err := c.allowDefaultTypes(c.caller()); err != nil {
		return nil, err
	}
	all, err := c.database().DefaultTypes(c.Context())
	return func(o object) { objects(o, "default_types", all, defaultTypeFields) }, err
}

func (s *Server) showDefaultType(c *Call) (View, error) {
	project, err := c.targetProject()
	if err != nil {
		return nil, err
	}
	d, err := c.database().DefaultType(c.Context(), project)
	return defaultTypeAnswer(d), err
}

// setDefaultType answers 400 for a type that does not exist, as Cinder does here
// alone.
func (s *Server) setDefaultType(c *Call) (View, error) {
	project, err := c.targetProject()
	if err != nil {
		return nil, err
	}
	var in struct {
		Default struct {
			VolumeType string `json:"volume_type"`
		} `json:"default_type"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	kind, err := c.database().VolumeTypeByName(c.Context(), in.Default.VolumeType, c.typeScope())
	if err == nil {
		err = c.tx(func(tx *db.Tx) error { return tx.SetDefaultType(c.Context(), project, kind.ID) })
	}
	if fault.Is(err, fault.NotFound) {
		err = fault.Wrap(err, fault.Invalid, "%s", fault.MessageOf(err))
	}
	return defaultTypeAnswer(db.DefaultType{ProjectID: project, VolumeTypeID: kind.ID}), err
}

func (s *Server) unsetDefaultType(c *Call) (View, error) {
	project, err := c.targetProject()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.UnsetDefaultType(c.Context(), project) })
}
