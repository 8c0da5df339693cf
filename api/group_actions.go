package api

import (
	"net/http"
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(groupActionRoutes) }

func groupActionRoutes(s *Server) []Route {
	const path = "/groups/:group_id/action"
	action := func(name, key, rule string, since Version, status int, handler Handler) Route {
		return Route{Name: "group_actions." + name, Method: "POST", Path: path, Action: key, Since: since, Status: status,
			Policy: []string{"group:get", rule}, Object: true, Handler: handler}
	}
	return []Route{
		action("delete", "delete", "group:delete", 13, http.StatusAccepted, s.deleteGroup),
		action("reset_status", "reset_status", "group:reset_status", 20, http.StatusAccepted, s.resetGroup),
		action("enable_replication", "enable_replication", "group:enable_replication", 38, http.StatusAccepted,
			s.replicateGroup("enable", []string{"available"}, []string{"disabled", "enabled"})),
		action("disable_replication", "disable_replication", "group:disable_replication", 38, http.StatusAccepted,
			s.replicateGroup("disable", []string{"available", "error"}, []string{"enabled", "error"})),
		action("failover_replication", "failover_replication", "group:failover_replication", 38, http.StatusAccepted,
			s.replicateGroup("failover", []string{"available"}, []string{"enabled", "failed-over"})),
		action("list_replication_targets", "list_replication_targets", "group:list_replication_targets", 38, http.StatusOK, s.listReplicationTargets),
	}
}

func (s *Server) deleteGroup(c *Call) (View, error) {
	g, err := c.group()
	if err != nil {
		return nil, err
	}
	var in struct {
		Delete struct {
			Volumes boolish `json:"delete-volumes"`
		} `json:"delete"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, c.beginGroupDelete(g, bool(in.Delete.Volumes))
}

func (c *Call) beginGroupDelete(g db.Group, withVolumes bool) error {
	var encrypted []string
	if withVolumes {
		var err error
		if encrypted, err = c.database().KeysOfGroup(c.Context(), g.ID, ""); err != nil {
			return err
		}
	}
	err := c.tx(func(tx *db.Tx) error { return tx.BeginGroupDelete(c.Context(), g.ID, withVolumes, c.RequestID) })
	for _, id := range encrypted {
		if err == nil {
			c.forgetKey(&id)
		}
	}
	return err
}

// resetGroup lets an administrator say what is true.
func (s *Server) resetGroup(c *Call) (View, error) {
	g, err := c.readGroup(c.Param("group_id"))
	if err != nil {
		return nil, err
	}
	if err := c.Allow(groupOwner(g)); err != nil {
		return nil, err
	}
	status, err := c.resetStatus()
	if err != nil {
		return nil, err
	}
	return nil, c.tx(func(tx *db.Tx) error {
		_, err := tx.MoveGroup(c.Context(), g.ID, db.ResetTo(status), db.ByAdministrator, nil)
		return err
	})
}

// replicated is nil when group type and volume types say that the group is
// replicated; else it is Invalid in Cinder's words.
func (c *Call) replicated(g db.Group) error {
	kind, err := c.database().GroupType(c.Context(), g.GroupTypeID, true)
	if err != nil {
		return err
	}
	if !kind.GroupSpecs.IsTrue("consistent_group_replication_enabled") && !kind.GroupSpecs.IsTrue("group_replication_enabled") {
		return fault.New(fault.Invalid, "Invalid group type: Group %s is not a replication group type.", g.ID)
	}
	for _, id := range g.VolumeTypes {
		kind, err := c.database().VolumeType(c.Context(), id, "")
		if err != nil {
			return err
		}
		if !kind.ExtraSpecs.IsTrue("replication_enabled") {
			return fault.New(fault.Invalid, "Invalid volume type: Volume type %s does not have 'replication_enabled' spec key set to '<is> True'.", id)
		}
	}
	return nil
}

// replicateGroup checks what Cinder checks, in its order. No backend here
// replicates, which is what is left to say when all of that holds.
func (s *Server) replicateGroup(what string, statuses, replication []string) Handler {
	return func(c *Call) (View, error) {
		g, err := c.group()
		if err == nil {
			err = c.replicated(g)
		}
		if err != nil {
			return nil, err
		}
		refuse := func(which string, valid []string, current string) (View, error) {
			return nil, fault.New(fault.Invalid, "Invalid Group: Group %s %s must be ['%s'], but current status is: %s. Cannot %s replication.",
				g.ID, which, strings.Join(valid, "', '"), current, what)
		}
		if !slices.Contains(statuses, g.Status) {
			return refuse("status", statuses, g.Status)
		}
		if status := *firstOf(g.ReplicationStatus, new(string)); !slices.Contains(replication, status) {
			return refuse("replication status", replication, status)
		}
		return nil, fault.New(fault.Invalid, "Invalid Group: Group %s is on a backend that does not replicate. Cannot %s replication.", g.ID, what)
	}
}

// listReplicationTargets: there are none.
func (s *Server) listReplicationTargets(c *Call) (View, error) {
	g, err := c.group()
	if err == nil {
		err = c.replicated(g)
	}
	return func(o object) { o.list("replication_targets", nil) }, err
}
