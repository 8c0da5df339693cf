package load

import (
	"context"
	"fmt"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/config"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"clinker/internal/openstack/openrc"
)

// Endpoint is a Block Storage API, and who asks.
type Endpoint struct {
	URL          string // with /v3 and the project, as a catalog has it
	Token        string // X-Auth-Token
	ServiceToken string // X-Service-Token; sent where only Nova may ask. "" if there is none
	Project      string // the project's id; needed for RaiseQuota alone
}

// At is the endpoint at a base URL that ends in /v3, as its users without a
// catalog write it.
func At(url, project, token, serviceToken string) Endpoint {
	url = strings.TrimRight(url, "/")
	if project != "" && !strings.HasSuffix(url, "/"+project) {
		url += "/" + project
	}
	return Endpoint{URL: url, Token: token, ServiceToken: serviceToken, Project: project}
}

// LogIn logs in to Keystone as an openrc's variables say, which env gives, and takes the
// URL from its catalog, unless one is given.
func LogIn(ctx context.Context, env func(string) string, url, serviceToken string) (Endpoint, error) {
	auth, catalog, tls, err := openrc.Read(env)
	if err != nil {
		return Endpoint{}, fmt.Errorf("no token is given, and %w", err)
	}
	provider, err := config.NewProviderClient(ctx, auth, config.WithTLSConfig(tls))
	if err != nil {
		return Endpoint{}, fmt.Errorf("log in to %s: %w", auth.IdentityEndpoint, err)
	}
	project, err := projectOf(provider)
	if err != nil {
		return Endpoint{}, err
	}
	if url == "" {
		service, err := openstack.NewBlockStorageV3(provider, catalog)
		if err != nil {
			return Endpoint{}, fmt.Errorf("find the volume service in the catalog: %w", err)
		}
		return At(service.Endpoint, "", provider.Token(), serviceToken).of(project), nil
	}
	return At(url, project, provider.Token(), serviceToken), nil
}

func (e Endpoint) of(project string) Endpoint {
	e.Project = project
	return e
}

func projectOf(provider *gophercloud.ProviderClient) (string, error) {
	result, ok := provider.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return "", nil
	}
	project, err := result.ExtractProject()
	if err != nil || project == nil {
		return "", fmt.Errorf("the token is not for a project: set OS_PROJECT_NAME")
	}
	return project.ID, nil
}
