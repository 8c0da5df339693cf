package barbican

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/openstack/cloud"
)

// Config is the section [barbican] of cinder.conf.
type Config struct {
	Endpoint     string        // barbican_endpoint; "" for the catalog's
	EndpointType string        // barbican_endpoint_type: public, internal or admin
	Region       string        // barbican_region_name
	CAFile       string        // verify_ssl_path
	Insecure     bool          // verify_ssl = false
	Timeout      time.Duration // of a request; 10 s when 0

	Login *cloud.Login // the service user's
}

// Client is a keys.Store in Barbican.
type Client struct {
	Config
	http http.Client
}

var _ keys.Store = (*Client)(nil)

// New checks the configuration; nobody is asked yet. Invalid when it cannot work.
func New(cfg Config) (*Client, error) {
	if cfg.Login == nil {
		return nil, fault.New(fault.Invalid, "[key_manager] backend = barbican needs a Keystone: auth_strategy = keystone and [keystone_authtoken]")
	}
	if cfg.Insecure {
		cfg.CAFile = "" // verify_ssl_path is for verifying
	}
	transport, err := cloud.Transport(cfg.CAFile, "[barbican] verify_ssl_path", cfg.Insecure)
	if err != nil {
		return nil, err
	}
	return &Client{Config: cfg, http: cloud.Direct(transport, cmp.Or(cfg.Timeout, 10*time.Second))}, nil
}

// Trusted implements keys.Store: in Barbican the service user may not read what
// is a project's.
func (c *Client) Trusted() bool { return false }

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
	service, err := c.Login.Client(ctx)
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
