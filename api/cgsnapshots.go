package api

import (
	"net/http"

	"clinker/db"
)

func init() { register(cgsnapshotRoutes) }

// cgsnapshotRoutes are the older face of group snapshots: of those of consistency
// groups.
func cgsnapshotRoutes(s *Server) []Route {
	const items, item = "/cgsnapshots", "/cgsnapshots/:cgsnapshot_id"
	const get = "group:get_group_snapshot"
	return []Route{
		{Name: "cgsnapshots.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{"group:get_all_group_snapshots"}, Handler: s.listCgsnapshots(groupSnapshotSummary)},
		{Name: "cgsnapshots.detail", Method: "GET", Path: items + "/detail", Status: http.StatusOK,
			Policy: []string{"group:get_all_group_snapshots"}, Handler: s.listCgsnapshots(cgsnapshotDetail)},
		{Name: "cgsnapshots.create", Method: "POST", Path: items, Status: http.StatusAccepted,
			Policy: []string{"group:get", "group:create_group_snapshot"}, Object: true, Handler: s.createCgsnapshot},
		{Name: "cgsnapshots.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{get}, Object: true, Handler: s.showCgsnapshot},
		{Name: "cgsnapshots.delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{get, "group:delete_group_snapshot"}, Object: true, Handler: s.deleteCgsnapshot},
	}
}

// cgsnapshot reads the snapshot that the path names and asks the policy about it.
// Those of other groups do not exist here.
func (c *Call) cgsnapshot() (db.GroupSnapshot, error) {
	id := c.Param("cgsnapshot_id")
	gs, err := c.readGroupSnapshot(id)
	if err == nil && !gs.Consistency {
		err = db.GroupSnapshotNotFound(id)
	}
	if err != nil {
		return gs, err
	}
	return gs, c.Allow(groupSnapshotOwner(gs))
}

// cgsnapshotDetail has the fields of cgsnapshot.detail (fields.tsv).
func cgsnapshotDetail(o object, gs db.GroupSnapshot) {
	o.str("id", gs.ID)
	o.str("consistencygroup_id", gs.GroupID)
	o.str("status", gs.Status)
	o.time("created_at", gs.CreatedAt)
	o.text("name", gs.Name)
	o.text("description", gs.Description)
}

// listCgsnapshots takes limit, offset and marker, and no filters; its answers
// carry no links.
func (s *Server) listCgsnapshots(view func(object, db.GroupSnapshot)) Handler {
	return func(c *Call) (View, error) {
		q, err := c.page(nil)
		if err != nil {
			return nil, err
		}
		if err := c.limitProjects(&q, groupSnapshotFilters); err != nil {
			return nil, err
		}
		q.Where = append(q.Where, db.ConsistencyGroups(true))
		found, err := c.database().GroupSnapshots(c.Context(), q)
		return func(o object) { objects(o, "cgsnapshots", found, view) }, err
	}
}

func (s *Server) showCgsnapshot(c *Call) (View, error) {
	gs, err := c.cgsnapshot()
	return func(o object) {
		o.object("cgsnapshot", func(o object) { cgsnapshotDetail(o, gs) })
	}, err
}

func (s *Server) createCgsnapshot(c *Call) (View, error) {
	var in struct {
		Snapshot struct {
			GroupID     string   `json:"consistencygroup_id"`
			Name        *trimmed `json:"name"`
			Description *trimmed `json:"description"`
		} `json:"cgsnapshot"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	g, err := c.readConsistencyGroup(in.Snapshot.GroupID)
	if err != nil {
		return nil, err
	}
	if err := c.Allow(groupOwner(g)); err != nil {
		return nil, err
	}
	gs, err := c.insertGroupSnapshot(g, in.Snapshot.Name, in.Snapshot.Description)
	return func(o object) {
		o.object("cgsnapshot", func(o object) { groupSnapshotSummary(o, gs) })
	}, err
}

func (s *Server) deleteCgsnapshot(c *Call) (View, error) {
	gs, err := c.cgsnapshot()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error { return tx.BeginGroupSnapshotDelete(c.Context(), gs.ID, c.RequestID) })
}
