package api

import (
	"net/http"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(consistencyGroupRoutes) }

// consistencyGroupRoutes are the older face of groups: of those whose type is
// db.ConsistencyType, which the newer API leaves alone.
func consistencyGroupRoutes(s *Server) []Route {
	const items, item = "/consistencygroups", "/consistencygroups/:cg_id"
	return []Route{
		{Name: "consistencygroups.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{"group:get_all"}, Handler: s.listConsistencyGroups(consistencySummary)},
		{Name: "consistencygroups.detail", Method: "GET", Path: items + "/detail", Status: http.StatusOK,
			Policy: []string{"group:get_all"}, Handler: s.listConsistencyGroups(consistencyDetail)},
		{Name: "consistencygroups.create", Method: "POST", Path: items, Status: http.StatusAccepted,
			Policy: []string{"group:create"}, Handler: s.createConsistencyGroup},
		{Name: "consistencygroups.create_from_src", Method: "POST", Path: items + "/create_from_src", Status: http.StatusAccepted,
			Policy: []string{"group:create"}, Handler: s.copyConsistencyGroup},
		{Name: "consistencygroups.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{"group:get"}, Object: true, Handler: s.showConsistencyGroup},
		{Name: "consistencygroups.update", Method: "PUT", Path: item, Status: http.StatusAccepted,
			Policy: []string{"group:get", "group:update"}, Object: true, Handler: s.updateConsistencyGroup},
		{Name: "consistencygroups.update_alias", Method: "PUT", Path: item + "/update", Status: http.StatusAccepted,
			Policy: []string{"group:get", "group:update"}, Object: true, Handler: s.updateConsistencyGroup},
		{Name: "consistencygroups.delete", Method: "POST", Path: item + "/delete", Status: http.StatusAccepted, BodyOptional: true,
			Policy: []string{"group:get", "group:delete"}, Object: true, Handler: s.deleteConsistencyGroup},
	}
}

// consistencyGroup reads the group that the path names and asks the policy about
// it. Other groups do not exist here.
func (c *Call) consistencyGroup() (db.Group, error) {
	g, err := c.readConsistencyGroup(c.Param("cg_id"))
	if err != nil {
		return g, err
	}
	return g, c.Allow(groupOwner(g))
}

func (c *Call) readConsistencyGroup(id string) (db.Group, error) {
	g, err := c.readGroup(id)
	if err == nil && !g.Consistency {
		err = db.GroupNotFound(id)
	}
	return g, err
}

// consistencySummary has the fields of consistencygroup.summary (fields.tsv).
func consistencySummary(o object, g db.Group) { groupSummary(o, g) }

// consistencyDetail has the fields of consistencygroup.detail.
func consistencyDetail(o object, g db.Group) {
	o.str("id", g.ID)
	o.str("status", g.Status)
	o.str("availability_zone", g.AvailabilityZone)
	o.time("created_at", g.CreatedAt)
	o.text("name", g.Name)
	o.text("description", g.Description)
	o.list("volume_types", g.VolumeTypes)
}

func (s *Server) listConsistencyGroups(view func(object, db.Group)) Handler {
	return func(c *Call) (View, error) {
		q, err := c.groupQuery(true)
		if err != nil {
			return nil, err
		}
		found, err := c.database().Groups(c.Context(), q)
		return func(o object) {
			objects(o, "consistencygroups", found, view)
			if len(found) > 0 {
				c.next(o, "consistencygroup_links", c.route.Path, q, len(found), found[len(found)-1].ID)
			}
		}, err
	}
}

func (s *Server) showConsistencyGroup(c *Call) (View, error) {
	g, err := c.consistencyGroup()
	return func(o object) {
		o.object("consistencygroup", func(o object) { consistencyDetail(o, g) })
	}, err
}

func (s *Server) createConsistencyGroup(c *Call) (View, error) {
	var in struct {
		Group struct {
			Name        *trimmed `json:"name"`
			Description *trimmed `json:"description"`
			VolumeTypes string   `json:"volume_types"`
			Zone        string   `json:"availability_zone"`
		} `json:"consistencygroup"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	types := strings.TrimRight(in.Group.VolumeTypes, ",")
	if types == "" {
		return nil, fault.New(fault.Invalid, "volume_types must be provided to create consistency group %s.", *firstOf(in.Group.Name, new(trimmed)))
	}
	kind, err := c.database().GroupTypeByName(c.Context(), db.ConsistencyType, true)
	if fault.Is(err, fault.NotFound) {
		err = fault.Wrap(err, fault.Invalid, "Group type %s not found. Rerun migration script to create the default cgsnapshot type.", db.ConsistencyType)
	}
	if err != nil {
		return nil, err
	}
	g := c.newGroup(in.Group.Name, in.Group.Description, kind.ID)
	if err := c.insertGroup(&g, strings.Split(types, ","), in.Group.Zone); err != nil {
		return nil, err
	}
	return groupAnswer("consistencygroup", g), nil
}

func (s *Server) copyConsistencyGroup(c *Call) (View, error) {
	var in struct {
		Copy struct {
			Name        *trimmed `json:"name"`
			Description *trimmed `json:"description"`
			SnapshotID  string   `json:"cgsnapshot_id"`
			SourceID    string   `json:"source_cgid"`
		} `json:"consistencygroup-from-src"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	name := *firstOf(in.Copy.Name, new(trimmed))
	switch {
	case in.Copy.SnapshotID == "" && in.Copy.SourceID == "":
		return nil, fault.New(fault.Invalid, "Either 'cgsnapshot_id' or 'source_cgid' must be provided to create consistency group %s from source.", name)
	case in.Copy.SnapshotID != "" && in.Copy.SourceID != "":
		return nil, fault.New(fault.Invalid, "Cannot provide both 'cgsnapshot_id' and 'source_cgid' to create consistency group %s from source.", name)
	}
	from := groupCopy{in.Copy.Name, in.Copy.Description, in.Copy.SnapshotID, in.Copy.SourceID}
	source, err := c.groupSource(from)
	if err == nil && !source.Consistency {
		err = db.GroupNotFound(source.ID)
	}
	if err != nil {
		return nil, err
	}
	g, err := c.insertCopy(from, source)
	return groupAnswer("consistencygroup", g), err
}

// updateConsistencyGroup may blank name and description from 3.6 on.
func (s *Server) updateConsistencyGroup(c *Call) (View, error) {
	g, err := c.consistencyGroup()
	if err != nil {
		return nil, err
	}
	var in struct {
		Group groupUpdate `json:"consistencygroup"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	u := in.Group
	members := len(commaList(u.AddVolumes)) + len(commaList(u.RemoveVolumes))
	blank := *firstOf(u.Name, new(trimmed)) == "" && *firstOf(u.Description, new(trimmed)) == ""
	switch {
	case members > 0:
	case c.Since(6) && u.Name == nil && u.Description == nil:
		return nil, fault.New(fault.Invalid, "Must specify one or more of the following keys to update: name, description, add_volumes, remove_volumes.")
	case !c.Since(6) && blank:
		return nil, fault.New(fault.Invalid, "Name, description, add_volumes, and remove_volumes can not be all empty in the request body.")
	}
	return nil, c.changeGroup(g, u)
}

// deleteConsistencyGroup takes the volumes along when it is forced to.
func (s *Server) deleteConsistencyGroup(c *Call) (View, error) {
	g, err := c.consistencyGroup()
	if err != nil {
		return nil, err
	}
	var in struct {
		Group struct {
			Force boolish `json:"force"`
		} `json:"consistencygroup"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, c.beginGroupDelete(g, bool(in.Group.Force))
}
