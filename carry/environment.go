package carry

import (
	"context"
	"os"

	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/config"

	"clinker/internal/fault"
	"clinker/internal/openstack/openrc"
)

// Connect logs in to the cloud that the OS_* variables of the environment name.
func Connect(ctx context.Context) (*Cloud, error) {
	auth, endpoint, tls, err := openrc.Read(os.Getenv)
	if err != nil {
		return nil, err
	}
	auth.AllowReauth = true // watch outlives a token
	provider, err := config.NewProviderClient(ctx, auth, config.WithTLSConfig(tls))
	if err != nil {
		return nil, explain(err, "login at "+auth.IdentityEndpoint)
	}
	client, err := openstack.NewBlockStorageV3(provider, endpoint)
	if err != nil {
		return nil, fault.Wrap(err, fault.NotFound, "the service catalog has no block-storage endpoint for this region and interface")
	}
	cloud := NewCloud(client)
	if keys, err := openstack.NewKeyManagerV1(provider, endpoint); err == nil {
		cloud.WithKeys(keys)
	}
	return cloud, nil
}
