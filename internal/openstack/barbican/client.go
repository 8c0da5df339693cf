package barbican

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
	"clinker/internal/keys"
)

// Config is the section [barbican] of cinder.conf.
type Config struct {
	Endpoint     string        // barbican_endpoint; "" for the catalog's
	EndpointType string        // barbican_endpoint_type: public, internal or admin
	Region       string        // barbican_region_name
	CAFile       string        // verify_ssl_path
	Insecure     bool          // verify_ssl = false
	Timeout      time.Duration // of a request; 10 s when 0

	// Login gives the service user's client, which knows the catalog.
	Login func(ctx context.Context) (*gophercloud.ProviderClient, error)
}

// Client is a keys.Store in Barbican.
type Client struct {
	Config
	http http.Client

	mu      sync.Mutex
	service *gophercloud.ProviderClient // nil until the first login succeeds
}

var _ keys.Store = (*Client)(nil)

// New checks the configuration; nobody is asked yet. Invalid when it cannot work.
func New(cfg Config) (*Client, error) {
	if cfg.Login == nil {
		return nil, fault.New(fault.Invalid, "[key_manager] backend = barbican needs a Keystone: auth_strategy = keystone and [keystone_authtoken]")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: cfg.Insecure}
	if cfg.CAFile != "" && !cfg.Insecure {
		text, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "[barbican] verify_ssl_path cannot be read")
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, fault.New(fault.Invalid, "[barbican] verify_ssl_path holds no certificate")
		}
	}
	c := &Client{Config: cfg, http: http.Client{Transport: transport, Timeout: cmp.Or(cfg.Timeout, 10*time.Second)}}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// Trusted implements keys.Store: in Barbican the service user may not read what
// is a project's.
func (c *Client) Trusted() bool { return false }

// login gives the service user's client, once there is one.
func (c *Client) login(ctx context.Context) (*gophercloud.ProviderClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.service == nil {
		service, err := c.Login(ctx)
		if err != nil {
			return nil, err
		}
		c.service = service
	}
	return c.service, nil
}

// endpoint gives the key manager's URL.
func (c *Client) endpoint(service *gophercloud.ProviderClient) (string, error) {
	if c.Endpoint != "" {
		return c.Endpoint, nil
	}
	options := gophercloud.EndpointOpts{Region: c.Region, Availability: gophercloud.Availability(cmp.Or(c.EndpointType, "public"))}
	options.ApplyDefaults("key-manager")
	url, err := service.EndpointLocator(options)
	if err != nil {
		return "", fault.Wrap(err, fault.Unavailable, "The catalog has no key manager.")
	}
	return url, nil
}

// as puts a question to the key manager on somebody's behalf. The service user's
// token may have run out: then it is asked again with a new one.
func (c *Client) as(ctx context.Context, b keys.Bearer, question func(*gophercloud.ServiceClient) error) error {
	service, err := c.login(ctx)
	if err != nil {
		return err
	}
	url, err := c.endpoint(service)
	if err != nil {
		return err
	}
	token := b.Token
	if b.IsService() {
		token = service.Token()
	}
	err = question(c.at(url, token))
	if b.IsService() && gophercloud.ResponseCodeIs(err, http.StatusUnauthorized) {
		if err := service.Reauthenticate(ctx, token); err != nil {
			return fault.Wrap(err, fault.Unavailable, "The identity service does not answer.")
		}
		err = question(c.at(url, service.Token()))
	}
	return refusal(err)
}

// at gives a client that speaks with one token.
func (c *Client) at(url, token string) *gophercloud.ServiceClient {
	provider := &gophercloud.ProviderClient{TokenID: token, HTTPClient: c.http}
	provider.UserAgent.Prepend("clinker")
	base := gophercloud.NormalizeURL(strings.TrimSuffix(strings.TrimSuffix(url, "/"), "/v1"))
	return &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: base, ResourceBase: base + "v1/", Type: "key-manager"}
}
