package api

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() { register(manageableSnapshotRoutes) }

// manageableSnapshotRoutes are /manageable_snapshots and its older face.
func manageableSnapshotRoutes(s *Server) []Route {
	list, manage := []string{"snapshot_extension:list_manageable"}, []string{"volume:get", "snapshot_extension:snapshot_manage"}
	var all []Route
	for _, face := range []struct {
		name, path string
		since      Version
	}{{"manageable_snapshots", "/manageable_snapshots", 8}, {"os_snapshot_manage", "/os-snapshot-manage", 0}} {
		all = append(all,
			Route{Name: face.name + ".list", Method: "GET", Path: face.path, Since: face.since, Status: http.StatusOK,
				Policy: list, Handler: s.listManageable("manageable-snapshots", rpc.KindSnapshot, manageableView.summary)},
			Route{Name: face.name + ".detail", Method: "GET", Path: face.path + "/detail", Since: face.since, Status: http.StatusOK,
				Policy: list, Handler: s.listManageable("manageable-snapshots", rpc.KindSnapshot, manageableView.detail)},
			Route{Name: face.name + ".create", Method: "POST", Path: face.path, Since: face.since, Status: http.StatusAccepted,
				Policy: manage, Object: true, Handler: s.manageSnapshot})
	}
	return all
}

// snapshotHolders are the statuses in which a volume keeps its snapshots.
var snapshotHolders = []string{"available", "in-use", "reserved", "attaching", "detaching", "error", "error_extending"}

// manageSnapshot makes a snapshot of what lies beside its volume. Whether that is
// one, and how long, the job finds out.
func (s *Server) manageSnapshot(c *Call) (View, error) {
	var in struct {
		Snapshot struct {
			VolumeID    string            `json:"volume_id"`
			Ref         json.RawMessage   `json:"ref"`
			Name        *trimmed          `json:"name"`
			Description *trimmed          `json:"description"`
			Metadata    map[string]string `json:"metadata"`
		} `json:"snapshot"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	v, err := c.snapshotVolume(&in.Snapshot.VolumeID)
	if err != nil {
		return nil, err
	}
	source, err := c.sourceName(in.Snapshot.Ref)
	if err != nil {
		return nil, err
	}
	if v.PoolID == nil {
		return nil, fault.New(fault.Invalid, "Service is unavailable at this time.")
	}
	pool, err := c.database().PoolOf(c.Context(), *v.PoolID)
	if err == nil {
		err = c.serving(pool)
	}
	if err != nil {
		return nil, err
	}
	snap := db.Snapshot{
		ID: uuid.NewString(), VolumeID: v.ID, ProjectID: c.Identity.ProjectID, UserID: c.Identity.UserID,
		Name: in.Snapshot.Name.optional(), Description: in.Snapshot.Description.optional(),
		Metadata: in.Snapshot.Metadata, RequestID: c.RequestID,
	}
	err = c.tx(func(tx *db.Tx) error {
		return tx.InsertManagedSnapshot(c.Context(), &snap, source, snapshotHolders, !s.NoSnapshotGBQuota, s.Limits)
	})
	if err != nil {
		return nil, err
	}
	return c.snapshotAnswer(snap, false), nil
}
