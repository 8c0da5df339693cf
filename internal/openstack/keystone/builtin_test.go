package keystone_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"clinker/internal/fault"
	"clinker/internal/openstack/builtin"
	"clinker/internal/openstack/keystone"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAgainstBuiltin has the two halves of this project's identity talk to each
// other over a real connection.
func TestAgainstBuiltin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	accounts, err := builtin.Bootstrap(dir,
		builtin.Account{User: "cinder", Project: "service", Roles: []string{"service"}},
		builtin.Account{User: "demo", Project: "demo", Roles: []string{"member"}})
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	service, err := builtin.New(builtin.Config{Dir: dir, PublicURL: url})
	require.NoError(t, err)
	server.Config.Handler = service.Handler()
	server.Start()
	t.Cleanup(server.Close)

	v, err := keystone.New(keystone.Config{AuthURL: url, Username: "cinder",
		Password: accounts[0].Password, ProjectName: "service"})
	require.NoError(t, err)
	token := login(t, url, accounts[1])
	fromKeystone, err := v.Authenticate(t.Context(), token, login(t, url, accounts[0]))
	require.NoError(t, err)
	local, err := service.Authenticate(context.Background(), token, login(t, url, accounts[0]))
	require.NoError(t, err)
	local.ExpiresAt, fromKeystone.ExpiresAt = local.ExpiresAt.UTC(), fromKeystone.ExpiresAt.UTC()
	assert.Equal(t, local, fromKeystone)

	_, err = v.Authenticate(t.Context(), token+"x", "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
	server.Close()
	_, err = v.Authenticate(t.Context(), token+"y", "")
	assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
}

func login(t *testing.T, url string, a builtin.Account) string {
	t.Helper()
	client, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: url, Username: a.User, Password: a.Password, DomainName: builtin.DomainName,
		Scope: &gophercloud.AuthScope{ProjectName: a.Project, DomainName: builtin.DomainName},
	})
	require.NoError(t, err)
	return client.Token()
}
