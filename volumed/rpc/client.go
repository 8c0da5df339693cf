package rpc

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"time"

	"clinker/volumed/rpc/gen/node"
)

const (
	// defaultTimeout bounds a call whose context has no deadline. It is
	// longer than the 15 s that a node waits for an operation.
	defaultTimeout = 30 * time.Second
	dialTimeout    = 5 * time.Second
	// idlePerHost is how many connections to one node are kept for the next
	// calls; a TLS handshake costs about as much as thirty calls.
	idlePerHost = 32
)

// Clients calls any number of nodes and schedulers over one pool of
// connections. It may be used by many goroutines at once.
type Clients struct{ http *http.Client }

// NewPool makes Clients that show config's certificate and trust config's
// roots. Connections are HTTP/1.1: a call that times out closes its own
// connection, whereas one HTTP/2 connection to a machine that lost its power
// would hold up every later call until TCP gives up.
func NewPool(config *tls.Config) *Clients {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	return &Clients{http: &http.Client{
		Transport: &http.Transport{
			DialContext:         dialer.DialContext,
			TLSClientConfig:     config.Clone(),
			TLSHandshakeTimeout: dialTimeout,
			MaxIdleConnsPerHost: idlePerHost,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true,
			ForceAttemptHTTP2:   false,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Node gives the storage node at an endpoint (https://address:port). It makes
// no call and holds nothing: get it anew for each use.
func (c *Clients) Node(endpoint string) Volumed {
	return nodeClient{node.NewVolumedClient(exchange{c.http, join(endpoint, VolumedPath)})}
}

// Registry gives the scheduler at an endpoint (https://address:port).
func (c *Clients) Registry(endpoint string) Registry {
	return registryClient{node.NewRegistryClient(exchange{c.http, join(endpoint, RegistryPath)})}
}

// Close gives up idle connections. Calls under way go on.
func (c *Clients) Close() { c.http.CloseIdleConnections() }

func join(endpoint, path string) string { return strings.TrimSuffix(endpoint, "/") + path }

// bounded gives a context that surely ends.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, defaultTimeout)
}
