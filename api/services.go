package api

import (
	"net/http"
	"time"

	"clinker/db"
	"clinker/internal/fault"
)

func init() { register(serviceRoutes) }

func serviceRoutes(s *Server) []Route {
	const items = "/os-services"
	const index, update = "volume_extension:services:index", "volume_extension:services:update"
	return []Route{
		{Name: "services.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{index}, Handler: s.listServices},
		{Name: "services.enable", Method: "PUT", Path: items + "/enable", Status: http.StatusOK,
			Policy: []string{update}, Handler: s.enableService},
		{Name: "services.disable", Method: "PUT", Path: items + "/disable", Status: http.StatusOK,
			Policy: []string{update}, Handler: s.disableService},
		{Name: "services.disable_log_reason", Method: "PUT", Path: items + "/disable-log-reason", Status: http.StatusOK,
			Policy: []string{update}, Handler: s.disableServiceWithReason},
		{Name: "services.freeze", Method: "PUT", Path: items + "/freeze", Status: http.StatusOK,
			Policy: []string{update, "volume:freeze_host"}, Handler: s.freezeBackends(true)},
		{Name: "services.thaw", Method: "PUT", Path: items + "/thaw", Status: http.StatusOK,
			Policy: []string{update, "volume:thaw_host"}, Handler: s.freezeBackends(false)},
	}
}

// listServices takes host (a backend, or a node for all of its backends) and
// binary as filters; whatever else is asked has no effect.
func (s *Server) listServices(c *Call) (View, error) {
	found, err := c.database().Services(c.Context(), c.Query.Get("host"), c.Query.Get("binary"))
	if err != nil {
		return nil, err
	}
	states := map[string]string{}
	if c.Since(49) {
		if states, err = c.backendStates(); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	return func(o object) {
		objects(o, "services", found, func(o object, v db.Service) { c.serviceFields(o, v, now, states) })
	}, nil
}

// backendStates tells of every backend that has a pool whether its node answers.
func (c *Call) backendStates() (map[string]string, error) {
	pools, err := c.database().Pools(c.Context())
	states := make(map[string]string, len(pools))
	for _, p := range pools {
		states[p.ServiceID] = c.backendState(p)
	}
	return states, err
}

// backendState is up while the node answers the scheduler's polls.
func (c *Call) backendState(p db.PoolService) string {
	if time.Since(p.PolledAt) <= c.server.ServiceDownTime {
		return "up"
	}
	return "down"
}

// serviceFields has the fields of service and service.nonvolume (fields.tsv).
func (c *Call) serviceFields(o object, v db.Service, now time.Time, states map[string]string) {
	o.str("binary", v.Daemon)
	o.str("host", v.Host)
	o.str("zone", v.AvailabilityZone)
	o.str("status", serviceStatus(v.Disabled))
	if v.Up(now, c.server.ServiceDownTime) {
		o.str("state", "up")
	} else {
		o.str("state", "down")
	}
	changed := v.HeartbeatAt
	if v.UpdatedAt != nil && v.UpdatedAt.After(changed) {
		changed = *v.UpdatedAt
	}
	o.time("updated_at", changed)
	backend := v.Daemon == db.DaemonVolume
	if c.Since(49) && backend {
		o.text("backend_state", nullIf(states[v.ID], ""))
	}
	if c.Since(7) {
		o.null("cluster") // services here need no cluster: any number serve the same nodes
	}
	o.text("disabled_reason", v.DisabledReason)
	if backend {
		o.str("replication_status", v.ReplicationStatus)
		o.text("active_backend_id", v.ActiveBackendID)
		o.bool("frozen", v.Frozen)
	}
}

func serviceStatus(disabled bool) string {
	if disabled {
		return "disabled"
	}
	return "enabled"
}

// serviceRequest is the body of the operations on one service.
type serviceRequest struct {
	Host    string   `json:"host"`
	Cluster string   `json:"cluster"`
	Binary  string   `json:"binary"`
	Service string   `json:"service"` // the older name of binary
	Reason  *trimmed `json:"disabled_reason"`
}

func (s *Server) enableService(c *Call) (View, error) { return c.setService(false) }

func (s *Server) disableService(c *Call) (View, error) { return c.setService(true) }

func (s *Server) disableServiceWithReason(c *Call) (View, error) { return c.setService(true) }

// setService lets the scheduler place volumes with a service, or no more.
// Volumes that are there stay usable. Enabling forgets why it was disabled.
func (c *Call) setService(disabled bool) (View, error) {
	var in serviceRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if in.Host == "" {
		return nil, fault.New(fault.Invalid, "Invalid input received: Host field is missing.")
	}
	binary := in.Binary
	if binary == "" {
		binary = in.Service
	}
	set := map[string]any{"disabled": disabled}
	if !disabled {
		set["disabled_reason"] = nil
	} else if in.Reason != nil {
		set["disabled_reason"] = string(*in.Reason)
	}
	err := c.tx(func(tx *db.Tx) error {
		known, err := tx.SetService(c.Context(), in.Host, binary, set)
		if err == nil && !known {
			err = fault.New(fault.NotFound, "Service %s could not be found on host %s.", binary, in.Host)
		}
		return err
	})
	return c.serviceAnswer(in, disabled), err
}

func (c *Call) serviceAnswer(in serviceRequest, disabled bool) View {
	return func(o object) {
		o.str("host", in.Host)
		o.str("service", in.Service)
		o.str("binary", in.Binary)
		o.str("status", serviceStatus(disabled))
		o.bool("disabled", disabled)
		if c.route.Name == "services.disable_log_reason" {
			o.text("disabled_reason", in.Reason.optional())
		}
	}
}

// freezeBackends keeps the backends of a host as they are: what is there can be
// used, nothing is added. Thawing undoes it.
func (s *Server) freezeBackends(frozen bool) Handler {
	return func(c *Call) (View, error) {
		host, err := c.hostOrCluster()
		if err != nil {
			return nil, err
		}
		return nil, c.tx(func(tx *db.Tx) error { return tx.FreezeBackends(c.Context(), host, frozen) })
	}
}
