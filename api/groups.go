package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(groupRoutes) }

// groupRoutes are /groups and /groups/{id}; making, changing and deleting are in
// the group_*.go files.
func groupRoutes(s *Server) []Route {
	const items, item = "/groups", "/groups/:group_id"
	const since Version = 13
	return []Route{
		{Name: "groups.list", Method: "GET", Path: items, Since: since, Status: http.StatusOK,
			Policy: []string{"group:get_all"}, Handler: s.listGroups},
		{Name: "groups.detail", Method: "GET", Path: items + "/detail", Since: since, Status: http.StatusOK,
			Policy: []string{"group:get_all"}, Handler: s.detailGroups},
		{Name: "groups.create", Method: "POST", Path: items, Since: since, Status: http.StatusAccepted,
			Policy: []string{"group:create"}, Handler: s.createGroup},
		{Name: "groups.show", Method: "GET", Path: item, Since: since, Status: http.StatusOK,
			Policy: []string{"group:get"}, Object: true, Handler: s.showGroup},
		{Name: "groups.update", Method: "PUT", Path: item, Since: since, Status: http.StatusAccepted,
			Policy: []string{"group:get", "group:update"}, Object: true, Handler: s.updateGroup},
	}
}

// group reads the group that the path names and asks the policy about it. Groups
// that are consistency groups belong to the older API.
func (c *Call) group() (db.Group, error) {
	g, err := c.readGroup(c.Param("group_id"))
	if err != nil {
		return g, err
	}
	if err := c.Allow(groupOwner(g)); err != nil {
		return g, err
	}
	return g, reserved(g.Consistency, g.GroupTypeID, "group")
}

// readGroup reads a group, if the caller may get it.
func (c *Call) readGroup(id string) (db.Group, error) {
	g, err := c.database().Group(c.Context(), id, c.Scope())
	if err == nil && !c.Can("group:get", groupOwner(g)) {
		err = db.GroupNotFound(id)
	}
	return g, err
}

func groupOwner(g db.Group) Owner { return Owner{g.ProjectID, g.UserID} }

// reserved refuses, in Cinder's words, what only the older API may be asked for.
func reserved(consistency bool, kind, what string) error {
	switch {
	case !consistency:
		return nil
	case what == "group":
		return fault.New(fault.Invalid, "Group_type %s is reserved for migrating CGs to groups. Migrated group can only be operated by CG APIs.", kind)
	}
	return fault.New(fault.Invalid, "Group_type %s is reserved for migrating CGs to groups. Migrated group snapshots can only be operated by CG snapshot APIs.", kind)
}

var groupFilters = filterSpec{
	resource: "group",
	equal:    db.GroupFilter,
	like:     db.GroupLike,
	of:       db.GroupsOf,
	skip:     []string{"list_volume"},
}

// groupQuery reads the query of a list of one kind of groups.
func (c *Call) groupQuery(consistency bool) (db.Query, error) {
	spec := groupFilters
	if consistency {
		spec.refusing = MaxVersion + 1 // the older list never refuses one
	}
	q, err := c.listQuery(spec, nil)
	q.Where = append(q.Where, db.ConsistencyGroups(consistency))
	return q, err
}

func (s *Server) listGroups(c *Call) (View, error) {
	return c.groupList("/groups", func(o object, g groupView) { groupSummary(o, g.Group) }, false)
}

func (s *Server) detailGroups(c *Call) (View, error) {
	members, err := c.listsVolumes()
	if err != nil {
		return nil, err
	}
	project := c.Can("group:group_project_attribute", c.caller())
	return c.groupList("/groups/detail", func(o object, g groupView) { c.groupDetail(o, g, project) }, members)
}

// listsVolumes tells whether a group's volumes are to be shown with it.
func (c *Call) listsVolumes() (bool, error) {
	if !c.Since(25) {
		return false, nil
	}
	return c.boolean("list_volume", false)
}

// groupView is a group with what its view shows beside its row.
type groupView struct {
	db.Group
	listed  bool // its volumes are wanted
	volumes []string
}

// groupList runs at most two statements: the page and its volumes.
func (c *Call) groupList(path string, view func(object, groupView), members bool) (View, error) {
	q, err := c.groupQuery(false)
	if err != nil {
		return nil, err
	}
	found, err := c.database().Groups(c.Context(), q)
	if err != nil {
		return nil, err
	}
	volumes, err := c.groupVolumes(found, members)
	return func(o object) {
		objects(o, "groups", found, func(o object, g db.Group) { view(o, groupView{g, members, volumes[g.ID]}) })
		if len(found) > 0 {
			c.next(o, "group_links", path, q, len(found), found[len(found)-1].ID)
		}
	}, err
}

func (c *Call) groupVolumes(found []db.Group, wanted bool) (map[string][]string, error) {
	if !wanted {
		return nil, nil
	}
	ids := make([]string, len(found))
	for i, g := range found {
		ids[i] = g.ID
	}
	return c.database().VolumesOfGroups(c.Context(), ids...)
}

func (s *Server) showGroup(c *Call) (View, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	members, err := c.listsVolumes()
	if err != nil {
		return nil, err
	}
	volumes, err := c.groupVolumes([]db.Group{g}, members)
	project := c.Can("group:group_project_attribute", groupOwner(g))
	return func(o object) {
		o.object("group", func(o object) { c.groupDetail(o, groupView{g, members, volumes[g.ID]}, project) })
	}, err
}

// groupSummary has the fields of group.summary (fields.tsv).
func groupSummary(o object, g db.Group) {
	o.str("id", g.ID)
	o.text("name", g.Name)
}

// groupDetail has the fields of group.detail.
func (c *Call) groupDetail(o object, g groupView, project bool) {
	o.str("id", g.ID)
	o.str("status", g.Status)
	o.str("availability_zone", g.AvailabilityZone)
	o.time("created_at", g.CreatedAt)
	o.text("name", g.Name)
	o.text("description", g.Description)
	o.str("group_type", g.GroupTypeID)
	o.list("volume_types", g.VolumeTypes)
	if c.Since(14) {
		o.text("group_snapshot_id", g.GroupSnapshotID)
		o.text("source_group_id", g.SourceGroupID)
	}
	if g.listed {
		o.list("volumes", g.volumes)
	}
	if c.Since(38) {
		o.text("replication_status", g.ReplicationStatus)
	}
	if c.Since(58) && project {
		o.str("project_id", g.ProjectID)
	}
}

func groupAnswer(key name, g db.Group) View {
	return func(o object) { o.object(key, func(o object) { groupSummary(o, g) }) }
}
