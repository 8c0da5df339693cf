package fullpath

import (
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumetypes"

	"clinker/internal/openstack/builtin"
	"clinker/tempest/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// hostAddress is where guests reach this machine's 127.0.0.1.
const hostAddress = "10.0.2.2"

// kinds are the kinds of the storage node's backends; a volume type of the same name
// chooses each.
var kinds = []string{"thick", "thin"}

// cloud is the control plane, on this machine.
type cloud struct {
	*rig.Cloud
	user     *gophercloud.ServiceClient // of a user without special rights
	admin    *gophercloud.ServiceClient
	guestEnv []string // the same user's OS_* variables in a guest
}

// startCloud brings everything up that does not run on storage nodes. Identity
// is served twice, with the same users: a catalog names one address, and
// guests reach the API at another one than this machine does.
func startCloud(t *testing.T) *cloud {
	t.Helper()
	dir := t.TempDir()
	accounts, err := builtin.Bootstrap(dir)
	check(t, err)
	admin, demo := accounts[0], accounts[1]
	c := &cloud{Cloud: rig.Start(t, rig.Options{Elsewhere: true, Names: []string{hostAddress}, Identity: dir})}
	here := c.serveIdentity(t, dir, "127.0.0.1")
	c.user = c.login(t, here, demo)
	c.admin = c.login(t, here, admin)
	c.makeTypes(t, c.admin)
	there := c.serveIdentity(t, dir, hostAddress)
	c.guestEnv = []string{"OS_AUTH_URL=" + there.AuthURL(), "OS_USERNAME=" + demo.User, "OS_PASSWORD=" + demo.Password,
		"OS_PROJECT_NAME=" + demo.Project, "OS_DOMAIN_NAME=" + builtin.DomainName, "OS_REGION_NAME=" + there.Region()}
	return c
}

// serveIdentity serves the built-in identity on this machine, with a catalog for
// those who reach this machine by that address.
func (c *cloud) serveIdentity(t *testing.T, dir, address string) *builtin.Service {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	url := func(port string) string { return "http://" + net.JoinHostPort(address, port) }
	service, err := builtin.New(builtin.Config{
		Dir: dir, PublicURL: url(port), VolumeURL: url(strconv.Itoa(c.API.Port())) + "/v3",
	})
	check(t, err)
	server := &http.Server{Handler: service.Handler()}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return service
}

func (c *cloud) login(t *testing.T, service *builtin.Service, a builtin.Account) *gophercloud.ServiceClient {
	t.Helper()
	provider, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: service.AuthURL(), Username: a.User, Password: a.Password, DomainName: builtin.DomainName,
		Scope: &gophercloud.AuthScope{ProjectName: a.Project, DomainName: builtin.DomainName},
	})
	check(t, err)
	client, err := openstack.NewBlockStorageV3(provider, gophercloud.EndpointOpts{Region: service.Region()})
	check(t, err)
	client.Microversion = "3.71"
	return client
}

func (c *cloud) makeTypes(t *testing.T, admin *gophercloud.ServiceClient) {
	t.Helper()
	for _, kind := range append(kinds, elsewhere) {
		_, err := volumetypes.Create(t.Context(), admin, volumetypes.CreateOpts{
			Name: kind, ExtraSpecs: map[string]string{"volume_backend_name": kind},
		}).Extract()
		check(t, err)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
