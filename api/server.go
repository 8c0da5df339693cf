package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"clinker/db"
	"clinker/internal/keys"
	"clinker/internal/openstack/identity"
	"clinker/policy"
	"clinker/volumed/rpc"
)

// Options are what the API works with and on.
type Options struct {
	DB       *db.DB
	Identity identity.Authenticator
	Policy   *policy.Enforcer
	Nodes    Nodes // to call storage nodes; an *rpc.Clients

	// Host is where this process runs, as its logs are asked for.
	Host string
	// AuthURI is told to clients that come without a token.
	AuthURI string
	// PublicEndpoint begins the links in answers, "" for the request's own host.
	PublicEndpoint string
	// ProxyHeaders believes what a proxy says of scheme and path before it, for links.
	ProxyHeaders bool
	// MaxBody is the longest request body read, in bytes.
	MaxBody int64
	// MaxLimit is the most items in one answer to a list.
	MaxLimit int
	// DefaultType is the name of the type of volumes that are asked for without.
	DefaultType string
	// DefaultGroupType is the name of the group type that is shown as the default
	// one, "" for none.
	DefaultGroupType string
	// DefaultZone is where they go when no zone is asked for; "" anywhere.
	DefaultZone string
	// ShownZone is what a volume shows until it has its place.
	ShownZone string
	// ZoneFallback takes the default zone for one that does not exist.
	ZoneFallback bool
	// Limits are the quotas of projects that have none of their own.
	Limits db.Limits
	// NoSnapshotGBQuota leaves snapshots out of the quota of gigabytes.
	NoSnapshotGBQuota bool
	// ServiceDownTime is how long a service may be silent and still be up.
	ServiceDownTime time.Duration
	// ProtectServers refuses to detach what a Nova server holds unless a service
	// asks. It is off where there is no Nova.
	ProtectServers bool
	// SwapsVolumes tells that there is a compute service which can be asked to move
	// volumes that its servers use.
	SwapsVolumes bool
	// Filters are what tenants may filter lists by; nil for Cinder's own set.
	Filters Filters
	// Projects tells whether there is a project, for those about whom an
	// administrator asks; nil where nobody can tell.
	Projects Projects
	// Images are what volumes may be made of; nil for none.
	Images Images
	// Keys keeps the keys of encrypted volumes; nil for nobody, and then there
	// are none.
	Keys keys.Store
	// ForceUpload lets volumes in use be made into images (enable_force_upload).
	ForceUpload bool
	// ReservedImageNamespaces begin the names of properties that an image of a
	// volume does not get from it (reserved_image_namespaces).
	ReservedImageNamespaces []string
	// VerifySignatures refuses images that are signed.
	VerifySignatures bool
	// Serves tells whether a pool fulfils the extra specs of a volume type, by
	// the scheduler's rules. Without it pools cannot be listed by type.
	Serves func(extraSpecs map[string]string, pool db.PoolService) bool
}

// Nodes gives a client for the storage node at an endpoint.
type Nodes interface {
	Node(endpoint string) rpc.Volumed
}

// Server answers requests. It is an http.Handler.
type Server struct {
	Options
	db      *db.DB
	policy  *policy.Enforcer
	schemas schemas
	pools   recent[string, db.PoolService] // whose nodes attachments are asked of
	zones   recent[string, bool]           // that there are
	turns   chan struct{}                  // of long pages
	routes  []Route
	router  http.Handler
	openAPI func() ([]byte, error) // made when first asked for
}

// New checks every declaration and builds the routes.
func New(o Options) (*Server, error) {
	s := &Server{Options: o, db: o.DB, policy: o.Policy}
	s.turns = newTurns()
	s.pools.age, s.zones.age = time.Second, time.Second
	if s.Filters == nil {
		s.Filters = defaultFilters()
	}
	var err error
	if s.schemas, err = loadSchemas(); err != nil {
		return nil, err
	}
	s.routes = Routes(s)
	for _, r := range s.routes {
		if err := r.check(s.policy.Known); err != nil {
			return nil, err
		}
	}
	s.openAPI = sync.OnceValues(func() ([]byte, error) { return openAPI(s.routes) })
	return s, s.mount()
}

// Routes gives the whole table, resource by resource. A nil server is enough
// to print it.
func Routes(s *Server) []Route {
	var all []Route
	for _, resource := range resources {
		all = append(all, resource(s)...)
	}
	return all
}

// mount gives the routes to the router.
func (s *Server) mount() error {
	router := echo.New()
	router.RouteNotFound("/*", s.adapt(nil))
	all, err := endpoints(s.routes)
	if err != nil {
		return err
	}
	for _, e := range all {
		router.Add(e.method, e.path, s.adapt(e))
		if e.method == http.MethodGet {
			router.Add(http.MethodOptions, e.path, s.adaptOptions())
		}
	}
	s.router = router
	return nil
}

// adapt is where a request comes out of the router; nil is an unknown path.
func (s *Server) adapt(e *endpoint) echo.HandlerFunc {
	return func(ec echo.Context) error {
		c := callOf(ec.Request())
		if e == nil {
			notRouted(c, ec.Response())
			return nil
		}
		names, values := ec.ParamNames(), ec.ParamValues()
		c.params = make(map[string]string, len(names))
		for i, name := range names {
			if name != "key" && strings.Contains(values[i], "/") { // the router lets the last one be a path
				notRouted(c, ec.Response())
				return nil
			}
			c.params[name] = values[i]
			if ec.Request().URL.RawPath != "" { // matched as it was sent
				c.params[name] = unescape(values[i])
			}
		}
		s.dispatch(c, e, ec.Response())
		return nil
	}
}

func (s *Server) adaptOptions() echo.HandlerFunc {
	return func(ec echo.Context) error { return ec.NoContent(http.StatusOK) }
}

// String names the server in logs.
func (s *Server) String() string { return fmt.Sprintf("block storage API, %d routes", len(s.routes)) }
