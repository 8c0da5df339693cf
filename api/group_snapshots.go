package api

import (
	"net/http"

	"github.com/google/uuid"

	"clinker/db"
)

func init() { register(groupSnapshotRoutes) }

func groupSnapshotRoutes(s *Server) []Route {
	const items, item = "/group_snapshots", "/group_snapshots/:group_snapshot_id"
	const get, since = "group:get_group_snapshot", Version(14)
	return []Route{
		{Name: "group_snapshots.list", Method: "GET", Path: items, Since: since, Status: http.StatusOK,
			Policy: []string{"group:get_all_group_snapshots"}, Handler: s.listGroupSnapshots},
		{Name: "group_snapshots.detail", Method: "GET", Path: items + "/detail", Since: since, Status: http.StatusOK,
			Policy: []string{"group:get_all_group_snapshots"}, Handler: s.detailGroupSnapshots},
		{Name: "group_snapshots.create", Method: "POST", Path: items, Since: since, Status: http.StatusAccepted,
			Policy: []string{"group:get", "group:create_group_snapshot"}, Object: true, Handler: s.createGroupSnapshot},
		{Name: "group_snapshots.show", Method: "GET", Path: item, Since: since, Status: http.StatusOK,
			Policy: []string{get}, Object: true, Handler: s.showGroupSnapshot},
		{Name: "group_snapshots.delete", Method: "DELETE", Path: item, Since: since, Status: http.StatusAccepted,
			Policy: []string{get, "group:delete_group_snapshot"}, Object: true, Handler: s.deleteGroupSnapshot},
		{Name: "group_snapshot_actions.reset_status", Method: "POST", Path: item + "/action", Action: "reset_status", Since: 19, Status: http.StatusAccepted,
			Policy: []string{get, "group:reset_group_snapshot_status"}, Object: true, Handler: s.resetGroupSnapshot},
	}
}

// groupSnapshot reads the group snapshot that the path names and asks the policy
// about it. Those of consistency groups belong to the older API.
func (c *Call) groupSnapshot() (db.GroupSnapshot, error) {
	gs, err := c.readGroupSnapshot(c.Param("group_snapshot_id"))
	if err != nil {
		return gs, err
	}
	if err := c.Allow(groupSnapshotOwner(gs)); err != nil {
		return gs, err
	}
	return gs, reserved(gs.Consistency, gs.GroupTypeID, "group snapshot")
}

func (c *Call) readGroupSnapshot(id string) (db.GroupSnapshot, error) {
	gs, err := c.database().GroupSnapshot(c.Context(), id, c.Scope())
	if err == nil && !c.Can("group:get_group_snapshot", groupSnapshotOwner(gs)) {
		err = db.GroupSnapshotNotFound(id)
	}
	return gs, err
}

func groupSnapshotOwner(gs db.GroupSnapshot) Owner { return Owner{gs.ProjectID, gs.UserID} }

var groupSnapshotFilters = filterSpec{
	resource: "group_snapshot",
	equal:    db.GroupSnapshotFilter,
	like:     db.GroupSnapshotLike,
	of:       db.GroupSnapshotsOf,
}

// groupSnapshotQuery reads a list's query. Before 3.29 there was nothing in it but
// the marker of the link to the next page.
func (c *Call) groupSnapshotQuery() (q db.Query, err error) {
	if c.Since(29) {
		q, err = c.listQuery(groupSnapshotFilters, nil)
	} else {
		q = db.Query{Limit: c.server.MaxLimit, Marker: c.Query.Get("marker"), Sort: []db.Sort{{Key: "created_at", Desc: true}}}
		err = c.limitProjects(&q, groupSnapshotFilters)
	}
	q.Where = append(q.Where, db.ConsistencyGroups(false))
	return q, err
}

func (s *Server) listGroupSnapshots(c *Call) (View, error) {
	return c.groupSnapshotList("/group_snapshots", groupSnapshotSummary)
}

func (s *Server) detailGroupSnapshots(c *Call) (View, error) {
	project := c.Can("group:group_snapshot_project_attribute", c.caller())
	return c.groupSnapshotList("/group_snapshots/detail", func(o object, gs db.GroupSnapshot) { c.groupSnapshotDetail(o, gs, project) })
}

// groupSnapshotList runs one statement.
func (c *Call) groupSnapshotList(path string, view func(object, db.GroupSnapshot)) (View, error) {
	q, err := c.groupSnapshotQuery()
	if err != nil {
		return nil, err
	}
	found, err := c.database().GroupSnapshots(c.Context(), q)
	return func(o object) {
		objects(o, "group_snapshots", found, view)
		if len(found) > 0 {
			c.next(o, "group_snapshot_links", path, q, len(found), found[len(found)-1].ID)
		}
	}, err
}

// groupSnapshotSummary has the fields of group_snapshot.summary (fields.tsv).
func groupSnapshotSummary(o object, gs db.GroupSnapshot) {
	o.str("id", gs.ID)
	o.text("name", gs.Name)
}

// groupSnapshotDetail has the fields of group_snapshot.detail.
func (c *Call) groupSnapshotDetail(o object, gs db.GroupSnapshot, project bool) {
	o.str("id", gs.ID)
	o.str("group_id", gs.GroupID)
	o.str("group_type_id", gs.GroupTypeID)
	o.str("status", gs.Status)
	o.time("created_at", gs.CreatedAt)
	o.text("name", gs.Name)
	o.text("description", gs.Description)
	if c.Since(58) && project {
		o.str("project_id", gs.ProjectID)
	}
}

func (s *Server) showGroupSnapshot(c *Call) (View, error) {
	gs, err := c.groupSnapshot()
	if err != nil {
		return nil, err
	}
	project := c.Can("group:group_snapshot_project_attribute", groupSnapshotOwner(gs))
	return func(o object) {
		o.object("group_snapshot", func(o object) { c.groupSnapshotDetail(o, gs, project) })
	}, nil
}

// createGroupSnapshot answers with the group type too.
func (s *Server) createGroupSnapshot(c *Call) (View, error) {
	var in struct {
		Snapshot struct {
			GroupID     string   `json:"group_id"`
			Name        *trimmed `json:"name"`
			Description *trimmed `json:"description"`
		} `json:"group_snapshot"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	g, err := c.readGroup(in.Snapshot.GroupID)
	if err != nil {
		return nil, err
	}
	if err := c.Allow(groupOwner(g)); err != nil {
		return nil, err
	}
	if err := reserved(g.Consistency, g.GroupTypeID, "group snapshot"); err != nil {
		return nil, err
	}
	gs, err := c.insertGroupSnapshot(g, in.Snapshot.Name, in.Snapshot.Description)
	return func(o object) {
		o.object("group_snapshot", func(o object) {
			groupSnapshotSummary(o, gs)
			o.str("group_type_id", gs.GroupTypeID)
		})
	}, err
}

func (c *Call) insertGroupSnapshot(g db.Group, name, description *trimmed) (db.GroupSnapshot, error) {
	gs := db.GroupSnapshot{ID: uuid.NewString(), ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID, GroupID: g.ID,
		Name: name.optional(), Description: description.optional(), RequestID: c.RequestID}
	return gs, c.tx(func(tx *db.Tx) error {
		return tx.InsertGroupSnapshot(c.Context(), &gs, !c.server.NoSnapshotGBQuota, c.server.Limits)
	})
}

func (s *Server) deleteGroupSnapshot(c *Call) (View, error) {
	gs, err := c.groupSnapshot()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.BeginGroupSnapshotDelete(c.Context(), gs.ID, c.RequestID) })
}

// resetGroupSnapshot lets an administrator say what is true.
func (s *Server) resetGroupSnapshot(c *Call) (View, error) {
	gs, err := c.readGroupSnapshot(c.Param("group_snapshot_id"))
	if err != nil {
		return nil, err
	}
	if err := c.Allow(groupSnapshotOwner(gs)); err != nil {
		return nil, err
	}
	status, err := c.resetStatus()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		_, err := tx.MoveGroupSnapshot(c.Context(), gs.ID, db.ResetTo(status), db.ByAdministrator, nil)
		return err
	})
}
