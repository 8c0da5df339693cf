package rig

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
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
