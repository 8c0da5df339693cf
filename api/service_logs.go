package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/telemetry"
)

func init() {
	register(func(s *Server) []Route {
		update := []string{"volume_extension:services:update"}
		return []Route{
			{Name: "services.get_log", Method: "PUT", Path: "/os-services/get-log", Since: 32, Status: http.StatusOK,
				Policy: update, Handler: s.getLogLevels},
			{Name: "services.set_log", Method: "PUT", Path: "/os-services/set-log", Since: 32, Status: http.StatusAccepted,
				Policy: update, Handler: s.setLogLevels},
		}
	})
}

// daemonAPI is the binary under which an API process tells of its own logs. It
// has no row among the services.
const daemonAPI = "cinder-api"

// logRequest is the body of services.get_log and services.set_log: of which
// processes, and of which of their loggers, it is about.
type logRequest struct {
	Binary string `json:"binary"`
	Server string `json:"server"`
	Prefix string `json:"prefix"`
	Level  string `json:"level"`
}

// about tells whether it is about this process too.
func (r logRequest) about(host string) bool {
	return (r.any() || r.Binary == daemonAPI) && (r.Server == "" || r.Server == host)
}

func (r logRequest) any() bool { return r.Binary == "" || r.Binary == "*" }

// logServices finds the services that it is about and that are up.
func (c *Call) logServices(r logRequest) ([]db.Service, error) {
	daemon := r.Binary
	if r.any() {
		daemon = ""
	}
	found, err := c.database().Services(c.Context(), r.Server, daemon)
	now := time.Now()
	return slices.DeleteFunc(found, func(v db.Service) bool { return !v.Up(now, c.server.ServiceDownTime) }), err
}

// processLevels are the levels of one process.
type processLevels struct {
	host, daemon string
	levels       map[string]string
}

// getLogLevels asks each storage node; of schedulers it knows what they said
// with their last heartbeat and what they have been asked since; of itself it
// knows. Of several API processes it is the one that answers.
func (s *Server) getLogLevels(c *Call) (View, error) {
	var in logRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	services, err := c.logServices(in)
	if err != nil {
		return nil, err
	}
	pending, err := c.database().LogRequests(c.Context())
	if err != nil {
		return nil, err
	}
	var told []processLevels
	if in.about(s.Host) {
		told = append(told, processLevels{s.Host, daemonAPI, telemetry.Levels(in.Prefix)})
	}
	ctx, cancel := context.WithTimeout(c.Context(), listPatience)
	defer cancel()
	for _, v := range services {
		levels, err := s.levelsOf(ctx, v, pending, in.Prefix)
		if err != nil {
			return nil, err
		}
		told = append(told, processLevels{v.Host, v.Daemon, levels})
	}
	return func(o object) {
		objects(o, "log_levels", told, func(o object, p processLevels) {
			o.str("host", p.host)
			o.str("binary", p.daemon)
			o.strings("levels", p.levels)
		})
	}, nil
}

func (s *Server) levelsOf(ctx context.Context, v db.Service, pending []db.LogRequest, prefix string) (map[string]string, error) {
	if v.OnNode() {
		levels, err := s.Nodes.Node(v.Endpoint).LogLevels(ctx, prefix)
		return levels, silentService(err, v)
	}
	var changes []telemetry.Change
	for _, r := range pending {
		if r.ServiceID == v.ID {
			changes = append(changes, telemetry.Change{Prefix: r.Prefix, Level: r.Level})
		}
	}
	return telemetry.LevelsOf(v.LogLevels, changes, prefix), nil
}

// setLogLevels sets its own level and the nodes' at once; schedulers hear of it
// with their next heartbeat.
func (s *Server) setLogLevels(c *Call) (View, error) {
	var in logRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := telemetry.CheckLevel(in.Level); err != nil {
		return nil, err
	}
	services, err := c.logServices(in)
	if err != nil {
		return nil, err
	}
	if in.about(s.Host) {
		if err := telemetry.SetLevel(in.Prefix, in.Level); err != nil {
			return nil, err
		}
	}
	if err := c.tellSchedulers(services, in); err != nil {
		return nil, err
	}
	return nil, c.tellNodes(services, in)
}

func (c *Call) tellSchedulers(services []db.Service, in logRequest) error {
	var ids []string
	for _, v := range services {
		if !v.OnNode() {
			ids = append(ids, v.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return c.tx(func(tx *db.Tx) error { return tx.RequestLogLevel(c.Context(), ids, in.Prefix, in.Level) })
}

// tellNodes tells each node once, however many services it has, and says of the
// first that could not be told.
func (c *Call) tellNodes(services []db.Service, in logRequest) error {
	ctx, cancel := context.WithTimeout(c.Context(), listPatience)
	defer cancel()
	told := map[string]bool{}
	var failed error
	for _, v := range services {
		if !v.OnNode() || told[v.Endpoint] {
			continue
		}
		told[v.Endpoint] = true
		err := c.server.Nodes.Node(v.Endpoint).SetLogLevels(ctx, in.Prefix, in.Level)
		if err := silentService(err, v); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// silentService says of a failed call whose it was.
func silentService(err error, v db.Service) error {
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) {
		host, _, _ := strings.Cut(v.Host, "@")
		return fault.Wrap(err, fault.Unavailable, "The storage node %s does not answer at this time.", host)
	}
	return err
}
