package api

import (
	"net/http"

	"clinker/db"
	"clinker/internal/fault"
)

func init() {
	register(func(s *Server) []Route {
		rules := []string{"volume_extension:services:update", "volume:failover_host"}
		return []Route{
			{Name: "services.failover_host", Method: "PUT", Path: "/os-services/failover_host", Status: http.StatusAccepted,
				Policy: rules, Handler: s.failoverHost},
			{Name: "services.failover", Method: "PUT", Path: "/os-services/failover", Since: 26, Status: http.StatusAccepted,
				Policy: rules, Handler: s.failoverHost},
		}
	})
}

// failoverHost declares a host whose node is down lost: what is on it is told to
// be, and none of it is promised again. No backend here replicates, so that there is
// nothing to fail over to, and a host whose node answers is refused as Cinder does
// for such backends. The backend_id "default" declares it back.
func (s *Server) failoverHost(c *Call) (View, error) {
	host, err := c.hostOrCluster()
	if err != nil {
		return nil, err
	}
	var in struct {
		BackendID string `json:"backend_id"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	found, err := c.database().Services(c.Context(), host, db.DaemonVolume)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New(fault.Invalid, "Invalid input received: No service found with host=%s", host)
	}
	return nil, c.tx(func(tx *db.Tx) error {
		return tx.BeginFailover(c.Context(), host, s.ServiceDownTime, in.BackendID == "default", c.RequestID)
	})
}

// hostOrCluster reads what an operation on backends is about: a host, or from
// 3.26 on one of host and cluster. There is no cluster.
func (c *Call) hostOrCluster() (host string, err error) {
	var in serviceRequest
	if err := c.Decode(&in); err != nil {
		return "", err
	}
	const withClusters Version = 26
	switch {
	case c.Since(withClusters) && (in.Host == "") == (in.Cluster == ""):
		return "", fault.New(fault.Invalid, "Invalid input received: One and only one of cluster and host must be set.")
	case in.Host == "" && !c.Since(withClusters):
		return "", fault.New(fault.Invalid, "Invalid input received: Host field is missing.")
	case in.Host == "":
		return "", fault.New(fault.Invalid, "Invalid input received: No service found with cluster=%s", in.Cluster)
	}
	return in.Host, nil
}
