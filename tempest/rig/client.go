package rig

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/noauth"
)

// microversion is the highest that there is.
const microversion = "3.71"

// NewProject makes up a project's id. (A name would not do: with noauth it
// stands in URLs, where Cinder accepts ids only.)
func NewProject() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

// noAuthClient is an administrator's in a project, for an API with auth_strategy =
// noauth.
func noAuthClient(t testing.TB, endpoint, project string) *gophercloud.ServiceClient {
	t.Helper()
	provider, err := noauth.NewClient(gophercloud.AuthOptions{Username: "tester", TenantName: project})
	if err != nil {
		t.Fatal(err)
	}
	client, err := noauth.NewBlockStorageNoAuthV3(provider, noauth.EndpointOpts{CinderEndpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	client.Microversion = microversion
	return client
}

// Client is that of a user (admin, demo), who logs in with what the openrc says.
func (d *Dev) Client(t testing.TB, user string) *gophercloud.ServiceClient {
	t.Helper()
	env := map[string]string{}
	for _, kv := range d.Openrc(t, user) {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	provider, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: env["OS_AUTH_URL"], Username: env["OS_USERNAME"], Password: env["OS_PASSWORD"],
		DomainName: env["OS_USER_DOMAIN_NAME"], TenantName: env["OS_PROJECT_NAME"], AllowReauth: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := openstack.NewBlockStorageV3(provider, gophercloud.EndpointOpts{Region: env["OS_REGION_NAME"]})
	if err != nil {
		t.Fatal(err)
	}
	client.Microversion = microversion
	return client
}
