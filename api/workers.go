package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		route := Route{Path: "/workers/cleanup", Since: 24, Status: http.StatusAccepted, BodyOptional: true,
			Policy: []string{"workers:cleanup"}, Handler: s.cleanUp}
		post, put := route, route
		post.Name, post.Method = "workers.cleanup", "POST"
		put.Name, put.Method = "workers.cleanup_put", "PUT" // as the Python SDK sends it
		return []Route{post, put}
	})
}

// cleanupRequest is the body of workers.cleanup: whose interrupted work is to be
// cleaned up. Where it says nothing, that of services that are down.
type cleanupRequest struct {
	Cluster      string   `json:"cluster_name"`
	Host         string   `json:"host"`
	Binary       string   `json:"binary"`
	Disabled     *boolish `json:"disabled"`
	IsUp         *boolish `json:"is_up"`
	ResourceID   string   `json:"resource_id"`
	ResourceType string   `json:"resource_type"`
	ServiceID    any      `json:"service_id"` // a number, or its digits
}

// cleanUp has the schedulers look after interrupted work at once, which they do
// all the time by themselves. What lies on a node that is down has to wait for
// it, and is told as unavailable.
func (s *Server) cleanUp(c *Call) (View, error) {
	var in cleanupRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	serviceID, err := c.interrupted(in)
	if err != nil {
		return nil, err
	}
	all, err := c.database().Services(c.Context(), "", "")
	if err != nil {
		return nil, err
	}
	up := func(v db.Service) bool { return v.Up(time.Now(), s.ServiceDownTime) }
	cleaner := slices.ContainsFunc(all, func(v db.Service) bool { return v.Daemon == db.DaemonScheduler && up(v) })
	var cleaning, unavailable []db.Service
	for _, v := range all {
		switch {
		case !in.about(v, up(v)) || serviceID != "" && v.ID != serviceID:
		case cleaner && (v.Daemon == db.DaemonScheduler || up(v)):
			cleaning = append(cleaning, v)
		default:
			unavailable = append(unavailable, v)
		}
	}
	if len(cleaning) > 0 {
		err = c.database().HurryChores(c.Context())
	}
	return func(o object) {
		objects(o, "cleaning", cleaning, cleanedService)
		objects(o, "unavailable", unavailable, cleanedService)
	}, err
}

func cleanedService(o object, v db.Service) {
	o.int("id", int(v.Number))
	o.str("host", v.Host)
	o.str("binary", v.Daemon)
	o.null("cluster_name")
}

// about tells whether the request is about a service.
func (in cleanupRequest) about(v db.Service, up bool) bool {
	number, _ := strconv.ParseInt(in.number(), 10, 64)
	return in.Cluster == "" &&
		(in.Host == "" || v.Host == in.Host || strings.HasPrefix(v.Host, in.Host+"@")) &&
		(in.Binary == "" || v.Daemon == in.Binary) &&
		(in.Disabled == nil || v.Disabled == bool(*in.Disabled)) &&
		(up == (in.IsUp != nil && bool(*in.IsUp))) &&
		(in.number() == "" || v.Number == number)
}

func (in cleanupRequest) number() string {
	switch id := in.ServiceID.(type) {
	case string:
		return id
	case float64:
		return strconv.FormatInt(int64(id), 10)
	}
	return ""
}

// interrupted gives the service that works on the resource that is to be cleaned
// up, "" when none is named. Invalid when nothing is under way with it.
func (c *Call) interrupted(in cleanupRequest) (serviceID string, err error) {
	kind := strings.ToLower(in.ResourceType)
	if kind != "" && kind != "volume" && kind != "snapshot" {
		return "", fault.New(fault.Invalid, "Invalid input received: Resource type %s not valid, must be Snapshot or Volume", in.ResourceType)
	}
	if in.ResourceID == "" {
		return "", nil
	}
	serviceID, found, err := c.database().Moving(c.Context(), in.ResourceID, kind)
	if err == nil && !found {
		err = fault.New(fault.Invalid, "Invalid input received: There is no resource with UUID %s pending cleanup.", in.ResourceID)
	}
	return serviceID, err
}
