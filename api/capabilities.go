package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() {
	register(func(s *Server) []Route {
		return []Route{{Name: "capabilities.show", Method: "GET", Path: "/capabilities/:host", Status: http.StatusOK,
			Policy: []string{"volume_extension:capabilities"}, Handler: s.showCapabilities}}
	})
}

// backendSilent is a backend that does not answer, for which Cinder has a 502.
const backendSilent fault.Code = "backend_silent"

// property is an extra spec of volume types that every backend understands.
type property struct{ key, title, description, kind string }

var properties = []property{
	{"thin_provisioning", "Thin Provisioning", "Sets thin provisioning.", "boolean"},
	{"multiattach", "Multiattach", "Lets several servers attach a volume.", "boolean"},
	{"qos", "QoS", "Enables QoS.", "boolean"},
	{"volume_backend_name", "Backend", "Sets the backend that volumes are placed on.", "string"},
	{"storage_protocol", "Storage Protocol", "Sets how hosts reach volumes.", "string"},
	{"provisioning:min_vol_size", "Smallest Size", "Sets the smallest size of a volume, in GiB.", "integer"},
	{"provisioning:max_vol_size", "Largest Size", "Sets the largest size of a volume, in GiB.", "integer"},
	{"RESKEY:availability_zones", "Availability Zones", "Sets the zones that volumes are placed in, with commas between.", "string"},
}

// showCapabilities asks a backend's node what it is.
func (s *Server) showCapabilities(c *Call) (View, error) {
	name, _, _ := strings.Cut(c.Param("host"), "#") // a pool's name, as other commands print it, will do
	found, err := c.database().Services(c.Context(), name, db.DaemonVolume)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "Can't find service: %s", name)
	}
	backend := found[0]
	ctx, cancel := context.WithTimeout(c.Context(), listPatience)
	defer cancel()
	stats, err := s.Nodes.Node(backend.Endpoint).Stats(ctx)
	if err != nil {
		return nil, fault.Wrap(err, backendSilent, "Timeout waiting for a reply from the backend %s.", backend.Host)
	}
	_, section, _ := strings.Cut(backend.Host, "@")
	pools := slices.DeleteFunc(stats.Pools, func(p *rpc.Pool) bool { return p.Backend != section })
	return func(o object) { backendCapabilities(o, backend.Host, stats.Node, pools) }, nil
}

// backendCapabilities has the fields of capabilities (fields.tsv). A backend of
// one pool is told with it.
func backendCapabilities(o object, host string, node *rpc.Node, pools []*rpc.Pool) {
	var name, protocol, pool string
	if len(pools) > 0 {
		name, protocol = pools[0].Capabilities["volume_backend_name"], pools[0].StorageProtocol
	}
	if name == "" {
		name = backendOf(host)
	}
	if len(pools) == 1 {
		pool = pools[0].Name
	}
	o.str("namespace", "OS::Storage::Capabilities::"+host)
	o.str("vendor_name", "Clinker")
	o.str("volume_backend_name", name)
	o.text("pool_name", nullIf(pool, ""))
	o.str("driver_version", node.Version)
	o.text("storage_protocol", nullIf(protocol, ""))
	o.null("display_name")
	o.null("description")
	o.null("visibility")
	o.list("replication_targets", nil)
	o.object("properties", func(o object) {
		for _, p := range properties {
			o.object(quoted(p.key), func(o object) {
				o.str("title", p.title)
				o.str("description", p.description)
				o.str("type", p.kind)
			})
		}
	})
}
