package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(snapshotActionRoutes) }

func snapshotActionRoutes(s *Server) []Route {
	const path, admin = "/snapshots/:snapshot_id/action", "volume_extension:snapshot_admin_actions:"
	return []Route{
		{Name: "snapshot_actions.reset_status", Method: "POST", Path: path, Action: "os-reset_status", Status: http.StatusAccepted,
			Policy: []string{admin + "reset_status"}, Object: true, Handler: s.resetSnapshot},
		{Name: "snapshot_actions.force_delete", Method: "POST", Path: path, Action: "os-force_delete", Status: http.StatusAccepted,
			Policy: []string{"volume:get_snapshot", admin + "force_delete", "volume:delete_snapshot"}, Object: true, Handler: s.forceDeleteSnapshot},
		{Name: "snapshot_actions.update_snapshot_status", Method: "POST", Path: path, Action: "os-update_snapshot_status", Status: http.StatusAccepted,
			Policy: []string{"snapshot_extension:snapshot_actions:update_snapshot_status"}, Object: true, Handler: s.reportSnapshot},
	}
}

// resetSnapshot lets an administrator say what is true.
func (s *Server) resetSnapshot(c *Call) (View, error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	status, err := c.resetStatus()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		_, err := tx.MoveSnapshot(c.Context(), snap.ID, db.ResetTo(status), "reset by an administrator", nil)
		return err
	})
}

func (s *Server) forceDeleteSnapshot(c *Call) (View, error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	return nil, c.beginSnapshotDelete(snap, db.SnapshotForceDelete, "Invalid snapshot: Snapshot must not be part of a group.")
}

// reports are the statuses that may be reported of a snapshot, by the one it has,
// as in Cinder.
var reports = map[string][]string{
	db.SnapshotCreating: {db.SnapshotCreating, db.SnapshotAvailable, db.SnapshotError},
	db.SnapshotDeleting: {db.SnapshotDeleting, db.SnapshotErrorDeleting},
}

// reportSnapshot is how Nova tells of a snapshot that it takes itself.
func (s *Server) reportSnapshot(c *Call) (View, error) {
	snap, err := c.snapshot()
	if err != nil {
		return nil, err
	}
	var in struct {
		Report struct {
			Status   string `json:"status"`
			Progress string `json:"progress"`
		} `json:"os-update_snapshot_status"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := checkReport(snap, in.Report.Status, in.Report.Progress); err != nil {
		return nil, err
	}
	set := map[string]any{}
	if in.Report.Progress != "" {
		set["progress"] = in.Report.Progress
	}
	err = c.tx(func(tx *db.Tx) error {
		if in.Report.Status != snap.Status {
			_, err := tx.MoveSnapshot(c.Context(), snap.ID, db.SnapshotReported(snap.Status, in.Report.Status), "", set)
			return err
		}
		if len(set) == 0 {
			return nil
		}
		_, err := tx.UpdateSnapshot(c.Context(), snap.ID, set)
		return err
	})
	if fault.Is(err, fault.Conflict) {
		return nil, fault.Wrap(err, fault.Invalid, "Invalid snapshot: %s", fault.MessageOf(err))
	}
	return nil, err
}

func checkReport(snap db.Snapshot, status, progress string) error {
	allowed, known := reports[snap.Status]
	if !known {
		return fault.New(fault.Invalid, "Snapshot status %s not allowed for update_snapshot_status", snap.Status)
	}
	if !slices.Contains(allowed, status) {
		return fault.New(fault.Invalid, "Provided snapshot status %s not allowed for snapshot with status %s.", status, snap.Status)
	}
	if progress == "" {
		return nil
	}
	number, isPercentage := strings.CutSuffix(progress, "%")
	if n, err := strconv.Atoi(number); err != nil || !isPercentage || n < 0 || n > 100 {
		return fault.New(fault.Invalid, "progress must be an integer percentage such as 40%%, but is '%s'", progress)
	}
	return nil
}
