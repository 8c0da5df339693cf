package builtin

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sourced gives the OS_ variables after a shell has read the openrc.
func sourced(t *testing.T, authURL string, a Account, before ...string) map[string]string {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, Openrc(&text, authURL, "RegionOne", a))
	path := filepath.Join(t.TempDir(), "openrc")
	require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", `. "$0"; env -0`, path)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, before...)
	out, err := cmd.Output()
	require.NoError(t, err)
	vars := map[string]string{}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "OS_") {
			vars[name] = value
		}
	}
	return vars
}

func TestOpenrc(t *testing.T) {
	t.Parallel()
	odd := Account{User: "o'neil $HOME `id`", Project: "a b\n\"c\"", Password: `\'"$(id)`}
	got := sourced(t, "http://[::1]:5000/v3", odd, "OS_TOKEN=old", "OS_CLOUD=other")
	assert.Equal(t, map[string]string{
		"OS_AUTH_URL":             "http://[::1]:5000/v3",
		"OS_IDENTITY_API_VERSION": "3", "OS_VOLUME_API_VERSION": volumeAPIVersion,
		"OS_USERNAME": odd.User, "OS_PASSWORD": odd.Password, "OS_PROJECT_NAME": odd.Project,
		"OS_DOMAIN_NAME": "Default", "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
		"OS_REGION_NAME": "RegionOne", "OS_INTERFACE": "public",
	}, got)
}

// TestGophercloudFromOpenrc: the environment alone is enough. Not parallel, since
// it sets this process's.
func TestGophercloudFromOpenrc(t *testing.T) {
	s := start(t)
	for name, value := range sourced(t, s.AuthURL(), s.accounts[1]) {
		t.Setenv(name, value)
	}
	opts, err := openstack.AuthOptionsFromEnv()
	require.NoError(t, err)
	client, err := openstack.AuthenticatedClient(t.Context(), opts)
	require.NoError(t, err)
	block, err := openstack.NewBlockStorageV3(client, gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")})
	require.NoError(t, err)
	assert.Equal(t, s.volume+"/v3/", block.Endpoint)
	id, err := s.Authenticate(t.Context(), client.Token(), "")
	require.NoError(t, err)
	assert.Equal(t, "demo", id.ProjectName)
}
