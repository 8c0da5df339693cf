package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"clinker/internal/fault"
)

func init() { register(clusterRoutes) }

// clusterRoutes are /clusters. In Cinder a cluster is what lets several
// processes serve one backend; here any number do without, so that there is none.
func clusterRoutes(s *Server) []Route {
	const items = "/clusters"
	all, one, update := []string{"clusters:get_all"}, []string{"clusters:get"}, []string{"clusters:update"}
	return []Route{
		{Name: "clusters.list", Method: "GET", Path: items, Since: 7, Status: http.StatusOK, Policy: all, Handler: s.listClusters},
		{Name: "clusters.detail", Method: "GET", Path: items + "/detail", Since: 7, Status: http.StatusOK, Policy: all, Handler: s.listClusters},
		{Name: "clusters.show", Method: "GET", Path: items + "/:cluster_name", Since: 7, Status: http.StatusOK, Policy: one,
			Handler: func(c *Call) (View, error) { return nil, clusterNotFound(c.Param("cluster_name")) }},
		{Name: "clusters.enable", Method: "PUT", Path: items + "/enable", Since: 7, Status: http.StatusOK, Policy: update, Handler: s.setCluster},
		{Name: "clusters.disable", Method: "PUT", Path: items + "/disable", Since: 7, Status: http.StatusOK, Policy: update, Handler: s.setCluster},
	}
}

func clusterNotFound(name string) error {
	return fault.New(fault.NotFound, "Cluster %s could not be found.", name)
}

// clusterFilters are the names that clusters are filtered by, with their first
// microversion.
var clusterFilters = map[string]Version{
	"name": 7, "binary": 7, "is_up": 7, "disabled": 7, "num_hosts": 7, "num_down_hosts": 7,
	"replication_status": 26, "frozen": 26, "active_backend_id": 26,
}

func (s *Server) listClusters(c *Call) (View, error) {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(c.Query)) {
		if since, known := clusterFilters[name]; !known || !c.Since(since) {
			wrong = append(wrong, name)
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "Invalid input received: Invalid filter keys: %s", strings.Join(wrong, ", "))
	}
	for _, name := range []string{"disabled", "is_up"} {
		if _, err := c.boolean(name, false); err != nil {
			return nil, err
		}
	}
	return func(o object) { objects(o, "clusters", []string(nil), func(object, string) {}) }, nil
}

func (s *Server) setCluster(c *Call) (View, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, clusterNotFound(in.Name)
}
