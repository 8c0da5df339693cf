package builtin

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	keystoneprojects "github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// started is a service on a loopback port, with a volume API that has nothing
// but its version document, and the accounts of a first start.
type started struct {
	*Service
	accounts []Account
	volume   string
}

func start(t *testing.T) started {
	t.Helper()
	dir := t.TempDir()
	accounts, err := Bootstrap(dir)
	require.NoError(t, err)
	volume := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"versions":[{"id":"v3.0","status":"CURRENT","version":"3.71","min_version":"3.0","links":[]}]}`))
	}))
	t.Cleanup(volume.Close)
	server := httptest.NewUnstartedServer(nil)
	s := open(t, dir, func(c *Config) {
		c.PublicURL = "http://" + server.Listener.Addr().String()
		c.VolumeURL = volume.URL + "/v3"
	})
	server.Config.Handler = s.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return started{s, accounts, volume.URL}
}

func TestGophercloud(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.accounts[0]
	client, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: s.cfg.PublicURL, // the client finds /v3 by itself
		Username:         admin.User, Password: admin.Password, DomainName: DomainName,
		Scope:       &gophercloud.AuthScope{ProjectName: admin.Project, DomainName: DomainName},
		AllowReauth: true,
	})
	require.NoError(t, err)

	block, err := openstack.NewBlockStorageV3(client, gophercloud.EndpointOpts{Region: "RegionOne"})
	require.NoError(t, err)
	assert.Equal(t, s.volume+"/v3/", block.Endpoint)

	keystone, err := openstack.NewIdentityV3(client, gophercloud.EndpointOpts{})
	require.NoError(t, err)
	token, err := tokens.Get(t.Context(), keystone, client.Token()).ExtractToken()
	require.NoError(t, err)
	assert.False(t, token.ExpiresAt.IsZero())

	pages, err := keystoneprojects.List(keystone, keystoneprojects.ListOpts{Name: "demo"}).AllPages(t.Context())
	require.NoError(t, err)
	found, err := keystoneprojects.ExtractProjects(pages)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, "demo", found[0].Name)

	require.NoError(t, tokens.Revoke(t.Context(), keystone, client.Token()).Err)
	_, err = keystoneprojects.Get(t.Context(), keystone, found[0].ID).Extract()
	assert.NoError(t, err, "the client logs in again by itself")
}

// TestOpenStackCLI needs nothing but the openrc. The commands are slow to start,
// so they run side by side.
func TestOpenStackCLI(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, c := range []struct {
		account int
		command string
		want    []string
	}{
		{0, "token issue", []string{"| expires ", "| project_id "}},
		{0, "catalog list", []string{"block-storage", "volumev3", "RegionOne", s.volume + "/v3/"}},
		{0, "project list", []string{"admin", "demo"}},
		{0, "user show admin", []string{"| name ", "| domain_id "}},
		{0, "project show demo -f value -c name", []string{"demo"}},
		{1, "project list", []string{"demo"}},
		{1, "--debug volume list", []string{s.volume + "/v3/"}},
	} {
		t.Run(s.accounts[c.account].User+" "+c.command, func(t *testing.T) {
			t.Parallel()
			rc := filepath.Join(t.TempDir(), "openrc")
			var text bytes.Buffer
			require.NoError(t, Openrc(&text, s.AuthURL(), s.Region(), s.accounts[c.account]))
			require.NoError(t, os.WriteFile(rc, text.Bytes(), 0o600))
			cmd := exec.CommandContext(t.Context(), "sh", "-c", `. "$0" && exec openstack "$@"`, rc)
			cmd.Args = append(cmd.Args, strings.Fields(c.command)...)
			out, err := cmd.CombinedOutput()
			if !strings.Contains(c.command, "volume list") { // there is no volume API here to answer it
				require.NoError(t, err, "%s", out)
			}
			for _, want := range c.want {
				assert.Contains(t, string(out), want)
			}
		})
	}
}
