//go:build keystone

package keystone_test

import (
	"os"
	"testing"
	"time"

	"clinker/internal/fault"
	"clinker/internal/openstack/builtin"
	"clinker/internal/openstack/keystone"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRealKeystone wants KEYSTONE_URL, KEYSTONE_PASSWORD (of the users cinder and
// nova, with the roles admin and service in project service, and demo, with the
// role member in project demo), and optionally KEYSTONE_JWS_KEYS. With
// KEYSTONE_EXPIRATION, the seconds a token lives there, it also waits for one to
// expire. Run with: go test -tags keystone -run RealKeystone
func TestRealKeystone(t *testing.T) {
	url, password := os.Getenv("KEYSTONE_URL"), os.Getenv("KEYSTONE_PASSWORD")
	account := func(user, project string) builtin.Account {
		return builtin.Account{User: user, Project: project, Password: password}
	}
	v, err := keystone.New(keystone.Config{AuthURL: url, Username: "cinder", Password: password,
		ProjectName: "service", JWSPublicKeys: os.Getenv("KEYSTONE_JWS_KEYS")})
	require.NoError(t, err)

	token := login(t, url, account("demo", "demo"))
	id, err := v.Authenticate(t.Context(), token, "")
	require.NoError(t, err)
	assert.Equal(t, "demo", id.UserName)
	assert.Equal(t, "demo", id.ProjectName)
	assert.Equal(t, "default", id.ProjectDomainID)
	assert.Contains(t, id.Roles, "member")
	assert.False(t, id.IsAdmin)
	assert.True(t, id.ExpiresAt.After(time.Now()))

	nova := login(t, url, account("nova", "service"))
	id, err = v.Authenticate(t.Context(), token, nova)
	require.NoError(t, err)
	assert.Contains(t, id.ServiceRoles, "service")
	assert.False(t, id.IsAdmin)

	_, err = v.Authenticate(t.Context(), "gAAAAABnonsense", "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
	revoked := login(t, url, account("demo", "demo"))
	revoke(t, url, account("cinder", "service"), revoked)
	_, err = v.Authenticate(t.Context(), revoked, "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))

	system, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: url, Username: "admin", Password: password, DomainName: "Default",
		Scope: &gophercloud.AuthScope{System: true}})
	require.NoError(t, err)
	id, err = v.Authenticate(t.Context(), system.Token(), "")
	require.NoError(t, err)
	assert.Equal(t, "all", id.SystemScope)
	assert.Empty(t, id.ProjectID)

	if life, err := time.ParseDuration(os.Getenv("KEYSTONE_EXPIRATION") + "s"); err == nil {
		old := login(t, url, account("demo", "demo"))
		time.Sleep(life + time.Second)
		_, err = v.Authenticate(t.Context(), old, "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
		id, err = v.Authenticate(t.Context(), old, login(t, url, account("nova", "service")))
		require.NoError(t, err, "a service vouches; our service user had to log in again")
		assert.Equal(t, "demo", id.UserName)
	}
}

func revoke(t *testing.T, url string, as builtin.Account, token string) {
	t.Helper()
	client, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: url, Username: as.User, Password: as.Password, DomainName: builtin.DomainName,
		Scope: &gophercloud.AuthScope{ProjectName: as.Project, DomainName: builtin.DomainName},
	})
	require.NoError(t, err)
	identity, err := openstack.NewIdentityV3(client, gophercloud.EndpointOpts{})
	require.NoError(t, err)
	require.NoError(t, tokens.Revoke(t.Context(), identity, token).Err)
}
