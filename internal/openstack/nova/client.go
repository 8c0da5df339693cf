package nova

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
	"clinker/internal/openstack/cloud"
)

// Config is Cinder's section [nova], as far as it is about finding the service.
type Config struct {
	Interface string        // interface: public, internal or admin; public when ""
	Region    string        // region_name
	Timeout   time.Duration // timeout: of one call; 30 s when 0

	Login *cloud.Login // the service user's
}

// Client calls the compute service. It may be used by many goroutines at once.
type Client struct {
	Config
}

// New makes a client; nobody is asked yet.
func New(cfg Config) *Client {
	cfg.Interface, cfg.Timeout = cmp.Or(cfg.Interface, "public"), cmp.Or(cfg.Timeout, 30*time.Second)
	return &Client{Config: cfg}
}

// compute gives the compute service, spoken to at a microversion. Unsupported when
// the catalog has none; Unavailable when Keystone does not answer.
func (c *Client) compute(ctx context.Context, microversion string) (*gophercloud.ServiceClient, error) {
	provider, err := c.Login.Client(ctx)
	if err != nil {
		return nil, err
	}
	options := gophercloud.EndpointOpts{Region: c.Region, Availability: gophercloud.Availability(c.Interface)}
	options.ApplyDefaults("compute")
	url, err := provider.EndpointLocator(options)
	var none *gophercloud.ErrEndpointNotFound
	if errors.As(err, &none) {
		return nil, fault.Wrap(err, fault.Unsupported, "The catalog has no compute service.")
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "The catalog cannot be read.")
	}
	return &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: url, Type: "compute", Microversion: microversion}, nil
}

// refusal makes a fault of what Nova said, without its text.
func refusal(err error) error {
	var wrong gophercloud.ErrUnexpectedResponseCode
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &wrong):
		return fault.Wrap(err, fault.Unavailable, "The compute service does not answer.")
	}
	code := fault.Unavailable
	switch wrong.Actual {
	case http.StatusNotFound:
		code = fault.NotFound
	case http.StatusBadRequest, http.StatusNotAcceptable:
		code = fault.Invalid
	case http.StatusForbidden, http.StatusUnauthorized:
		code = fault.Forbidden
	case http.StatusConflict:
		code = fault.Conflict
	}
	return fault.New(code, "The compute service answered with status %d.", wrong.Actual)
}
