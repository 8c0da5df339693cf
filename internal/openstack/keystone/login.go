package keystone

import (
	"context"
	"net/http"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"

	"clinker/internal/openstack/cloud"
)

// NewLogin logs the service user in when that is first needed, and gives the client,
// which logs in again by itself whenever its token is refused. Other services of the
// cloud (Glance, Nova, Barbican) are reached through it. Errors of the login:
// fault.Invalid for a configuration that cannot work, fault.Unavailable when Keystone
// does not answer or refuses the service user.
func NewLogin(cfg Config) *cloud.Login {
	return cloud.NewLogin(func(ctx context.Context) (*gophercloud.ProviderClient, error) {
		if err := cfg.check(); err != nil {
			return nil, err
		}
		transport, err := cfg.transport()
		if err != nil {
			return nil, err
		}
		return connect(ctx, cfg, transport)
	})
}

func connect(ctx context.Context, cfg Config, transport http.RoundTripper) (*gophercloud.ProviderClient, error) {
	client, err := openstack.NewClient(cfg.AuthURL)
	if err != nil {
		return nil, unavailable(err)
	}
	client.HTTPClient = http.Client{Transport: transport}
	client.UserAgent.Prepend("clinker")
	err = openstack.Authenticate(ctx, client, gophercloud.AuthOptions{
		IdentityEndpoint: cfg.AuthURL,
		Username:         cfg.Username,
		Password:         cfg.Password,
		DomainName:       cfg.UserDomainName,
		Scope:            &gophercloud.AuthScope{ProjectName: cfg.ProjectName, DomainName: cfg.ProjectDomainName},
		AllowReauth:      true,
	})
	if err != nil {
		return nil, unavailable(explain(cfg, err))
	}
	return client, nil
}
