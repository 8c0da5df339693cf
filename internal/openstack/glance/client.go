package glance

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"clinker/internal/fault"
	"clinker/internal/openstack/cloud"
)

// Config is about the image service, under the names of cinder.conf.
type Config struct {
	Servers     []string      // glance_api_servers
	CatalogInfo string        // glance_catalog_info
	Region      string        // os_region_name, for the catalog
	Retries     int           // glance_num_retries
	CAFile      string        // glance_ca_certificates_file
	Insecure    bool          // glance_api_insecure
	Timeout     time.Duration // glance_request_timeout; 10 s when 0

	// Login is the service user's. nil: there is no Keystone, Servers must be given,
	// and requests carry no token.
	Login *cloud.Login
}

// Client asks the image service. It may be used by many goroutines at once.
type Client struct {
	Config
	http http.Client
	turn atomic.Uint64 // which of the image services is asked first
}

// New checks the configuration; nobody is asked yet. Invalid when it cannot work.
func New(cfg Config) (*Client, error) {
	if cfg.Login == nil && len(cfg.Servers) == 0 {
		return nil, fault.New(fault.Invalid, "without Keystone images need glance_api_servers")
	}
	transport, err := cloud.Transport(cfg.CAFile, "glance_ca_certificates_file", cfg.Insecure)
	if err != nil {
		return nil, err
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, 10*time.Second)
	return &Client{Config: cfg, http: cloud.Direct(transport, cfg.Timeout)}, nil
}

// endpoints gives the URLs of the image service, without their version.
func (c *Client) endpoints(ctx context.Context) ([]string, error) {
	if len(c.Servers) > 0 {
		return c.Servers, nil
	}
	service, err := c.Login.Client(ctx)
	if err != nil {
		return nil, err
	}
	info := strings.Split(cmp.Or(c.CatalogInfo, "image:glance:publicURL"), ":")
	face := gophercloud.Availability(strings.TrimSuffix(info[len(info)-1], "URL"))
	options := gophercloud.EndpointOpts{Region: c.Region, Availability: face}
	options.ApplyDefaults(info[0])
	url, err := service.EndpointLocator(options)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "The catalog has no image service.")
	}
	return []string{url}, nil
}

// ask puts a question to one image service after the other, until one answers; that
// one is asked first the next time, so that one that is silent is waited for once.
func (c *Client) ask(ctx context.Context, token string, question func(ctx context.Context, service *gophercloud.ServiceClient) error) error {
	urls, err := c.endpoints(ctx)
	if err != nil {
		return err
	}
	for range c.Retries + 1 {
		turn := c.turn.Load()
		err = question(ctx, c.at(urls[turn%uint64(len(urls))], token))
		if status := statusOf(err); err == nil || status != 0 && status < 500 {
			break
		}
		c.turn.CompareAndSwap(turn, turn+1)
		if ctx.Err() != nil {
			break
		}
	}
	return refusal(err)
}

// at gives a client of one image service that speaks with one token.
func (c *Client) at(url, token string) *gophercloud.ServiceClient {
	provider := &gophercloud.ProviderClient{TokenID: token, HTTPClient: c.http}
	provider.UserAgent.Prepend("clinker")
	base := gophercloud.NormalizeURL(strings.TrimSuffix(strings.TrimSuffix(url, "/"), "/v2"))
	return &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: base, ResourceBase: base + "v2/", Type: "image"}
}

// statusOf is the HTTP status of an answer, 0 when there was none.
func statusOf(err error) int {
	var wrong gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &wrong) {
		return wrong.Actual
	}
	return 0
}

// refusal makes a fault of what the image service said, without its text.
func refusal(err error) error {
	switch status := statusOf(err); {
	case err == nil:
		return nil
	case status == http.StatusNotFound, status == http.StatusForbidden, status == http.StatusBadRequest:
		return fault.New(fault.NotFound, "The image service has no such image, or none that may be used.")
	case status == http.StatusUnauthorized:
		return fault.New(fault.Unauthorized, "The image service does not accept the token.")
	case status != 0:
		return fault.New(fault.Unavailable, "The image service answered with status %d.", status)
	}
	return fault.Wrap(err, fault.Unavailable, "The image service does not answer.")
}

// Image gives an image as the bearer of a token sees it. NotFound when there is
// none, or none for that bearer; Unavailable when the image service does not answer.
func (c *Client) Image(ctx context.Context, token, id string) (Image, error) {
	found, _, err := c.find(ctx, token, id)
	return found, err
}

// find is Image, and tells where its bytes are: at the image service that answered.
func (c *Client) find(ctx context.Context, token, id string) (found Image, url string, err error) {
	err = c.ask(ctx, token, func(ctx context.Context, service *gophercloud.ServiceClient) error {
		image, err := images.Get(ctx, service, id).Extract()
		if err == nil {
			found, url = imageOf(image), service.ServiceURL("images", id, "file")
		}
		return err
	})
	return found, url, err
}

// Named gives the ids of at most two images of that name, as the bearer of a
// token sees them.
func (c *Client) Named(ctx context.Context, token, name string) (ids []string, err error) {
	err = c.ask(ctx, token, func(ctx context.Context, service *gophercloud.ServiceClient) error {
		ids = nil
		return images.List(service, images.ListOpts{Name: named(name), Limit: 2}).EachPage(ctx, func(_ context.Context, page pagination.Page) (bool, error) {
			some, err := images.ExtractImages(page)
			for _, image := range some {
				if image.Name == name && len(ids) < 2 {
					ids = append(ids, image.ID)
				}
			}
			return len(ids) < 2, err
		})
	})
	return ids, err
}

// named escapes a name for Glance's filter, which takes in: and others for
// operators unless the value is quoted.
func named(name string) string {
	if strings.ContainsAny(name, `:,"\`) {
		return `in:"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name
}

// Download gives an image by the word of the service user, where its bytes are
// and a token for them; the token is "" where there is no Keystone.
func (c *Client) Download(ctx context.Context, id string) (image Image, url, token string, err error) {
	var service *gophercloud.ProviderClient
	if c.Login != nil {
		if service, err = c.Login.Client(ctx); err != nil {
			return image, "", "", err
		}
		token = service.Token()
	}
	image, url, err = c.find(ctx, token, id)
	if service != nil && fault.Is(err, fault.Unauthorized) {
		if err = service.Reauthenticate(ctx, token); err == nil {
			token = service.Token()
			image, url, err = c.find(ctx, token, id)
		} else {
			err = fault.Wrap(err, fault.Unavailable, "The identity service does not answer.")
		}
	}
	if err != nil {
		return image, "", "", err
	}
	return image, url, token, nil
}
