package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(snapshotRoutes) }

// snapshotRoutes are /snapshots and /snapshots/{id}; making and deleting, and
// what is done by …/action, is in the snapshot_*.go files.
func snapshotRoutes(s *Server) []Route {
	const items, item = "/snapshots", "/snapshots/:snapshot_id"
	return []Route{
		{Name: "snapshots.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{"volume:get_all_snapshots"}, Handler: s.listSnapshots},
		{Name: "snapshots.detail", Method: "GET", Path: items + "/detail", Status: http.StatusOK,
			Policy: []string{"volume:get_all_snapshots"}, Handler: s.detailSnapshots},
		{Name: "snapshots.create", Method: "POST", Path: items, Status: http.StatusAccepted,
			Policy: []string{"volume:get", "volume:create_snapshot"}, Object: true, Handler: s.createSnapshot},
		{Name: "snapshots.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{"volume:get_snapshot"}, Object: true, Handler: s.showSnapshot},
		{Name: "snapshots.update", Method: "PUT", Path: item, Status: http.StatusOK,
			Policy: []string{"volume:get_snapshot", "volume:update_snapshot"}, Object: true, Handler: s.updateSnapshot},
		{Name: "snapshots.delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{"volume:get_snapshot", "volume:delete_snapshot"}, Object: true, Handler: s.deleteSnapshot},
	}
}

// snapshot reads the snapshot that the path names and asks the policy about it.
func (c *Call) snapshot() (db.Snapshot, error) {
	s, err := c.database().Snapshot(c.Context(), c.Param("snapshot_id"), c.Scope())
	if err != nil {
		return s, err
	}
	return s, c.Allow(snapshotOwner(s))
}

func snapshotOwner(s db.Snapshot) Owner { return Owner{s.ProjectID, s.UserID} }

var snapshotFilters = filterSpec{
	resource: "snapshot",
	rename:   volumeRename,
	equal:    db.SnapshotFilter,
	like:     db.SnapshotLike,
	of:       db.SnapshotsOf,
	every:    &db.EverySnapshot,
	since:    map[string]Version{"metadata": 22, "consumes_quota": 65},
	special: map[string]func(*Call, string) ([]db.Condition, error){
		"metadata":       dictFilter("metadata", db.SnapshotHas),
		"consumes_quota": strictBool("consumes_quota", db.SnapshotFilter),
		// Before 3.31 a tenant's filters were four, and this one none of them.
		"availability_zone": func(c *Call, value string) ([]db.Condition, error) {
			if !c.Since(31) && !c.Identity.IsAdmin {
				return nil, nil
			}
			condition, _, err := db.SnapshotFilter("availability_zone", value)
			return []db.Condition{condition}, err
		},
		"host": func(_ *Call, value string) ([]db.Condition, error) {
			return []db.Condition{db.SnapshotHost(value)}, nil
		},
	},
}

func (s *Server) listSnapshots(c *Call) (View, error) {
	return c.snapshotList("/snapshots", snapshotSummary)
}

func (s *Server) detailSnapshots(c *Call) (View, error) {
	extended := c.Can(extendedSnapshot, c.caller())
	return c.snapshotList("/snapshots/detail", func(o object, snap db.Snapshot) { c.snapshotDetail(o, snap, extended) })
}

// snapshotList runs at most two statements: the page and the count.
func (c *Call) snapshotList(path string, view func(object, db.Snapshot)) (View, error) {
	q, withCount, err := c.countedQuery(snapshotFilters, c.sortedByName(30))
	if err != nil {
		return nil, err
	}
	found, total, err := counted(c, q, withCount, c.database().Snapshots, c.database().CountSnapshots)
	return func(o object) {
		objects(o, "snapshots", found, view)
		if len(found) > 0 {
			c.next(o, "snapshots_links", path, q, len(found), found[len(found)-1].ID)
		}
		total(o)
	}, err
}

func (s *Server) showSnapshot(c *Call) (View, error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	return c.snapshotAnswer(snap, c.Can(extendedSnapshot, snapshotOwner(snap))), nil
}

func (s *Server) updateSnapshot(c *Call) (View, error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	var in struct {
		Snapshot struct {
			Name               given[trimmed] `json:"name"`
			DisplayName        given[trimmed] `json:"display_name"`
			Description        given[trimmed] `json:"description"`
			DisplayDescription given[trimmed] `json:"display_description"`
		} `json:"snapshot"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	set := map[string]any{}
	if name := firstGiven(in.Snapshot.Name, in.Snapshot.DisplayName); name.is {
		set["name"] = name.value.optional()
	}
	if description := firstGiven(in.Snapshot.Description, in.Snapshot.DisplayDescription); description.is {
		set["description"] = description.value.optional()
	}
	if len(set) > 0 {
		err = c.tx(func(tx *db.Tx) error {
			snap, err = tx.UpdateSnapshot(c.Context(), snap.ID, set)
			return err
		})
	}
	return c.snapshotAnswer(snap, false), err
}

// undeletableSnapshot lists Cinder's conditions in Cinder's one sentence.
const undeletableSnapshot = "Invalid snapshot: Snapshot status must be available or error and must not be part of a group."

func (s *Server) deleteSnapshot(c *Call) (View, error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	return nil, c.beginSnapshotDelete(snap, db.SnapshotDeleteBegin, undeletableSnapshot)
}

// beginSnapshotDelete starts the deletion, or answers with the sentence when the
// snapshot cannot be deleted.
func (c *Call) beginSnapshotDelete(snap db.Snapshot, m db.Move, sentence string) error {
	err := c.tx(func(tx *db.Tx) error { return tx.BeginSnapshotDelete(c.Context(), snap.ID, m, c.RequestID) })
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Invalid, "%s", sentence)
	}
	return err
}

// deleteSnapshots begins the deletion of a volume's snapshots. The volume's move
// comes before.
func (c *Call) deleteSnapshots(tx *db.Tx, volumeID string) error {
	err := tx.CascadeDelete(c.Context(), volumeID, c.RequestID)
	if fault.Is(err, fault.Conflict) {
		return fault.Wrap(err, fault.Invalid, "Invalid volume: Failed to update snapshot. %s", fault.MessageOf(err))
	}
	return err
}
