//go:build tempest

package upstream

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/endpoints"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/services"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"

	"clinker/internal/postgres"
	"clinker/tempest/rig"
)

// region of everything.
const region = "RegionOne"

// keystone is Debian's, with a database of its own.
type keystone struct {
	dir, password string
	port          int
	databases     *postgres.Server
	identity      *gophercloud.ServiceClient // the administrator's
}

// url is Keystone's, without /v3.
func (k *keystone) url() string { return fmt.Sprintf("http://127.0.0.1:%d", k.port) }

const keystoneConf = `[DEFAULT]
log_file = %[1]s/keystone-api.log
use_stderr = false
[database]
connection = %[2]s
[token]
provider = fernet
[fernet_tokens]
key_repository = %[1]s/fernet
[credential]
key_repository = %[1]s/credential
[identity]
password_hash_rounds = 4
`

const keystoneUwsgi = `[uwsgi]
plugins = python3
http-socket = 127.0.0.1:%[2]d
wsgi-file = /usr/bin/keystone-wsgi-public
env = OS_KEYSTONE_CONFIG_FILES=%[1]s/keystone.conf
master = true
processes = 2
threads = 2
enable-threads = true
lazy-apps = true
buffer-size = 65535
die-on-term = true
no-orphans = true
add-header = Connection: close
`

// startKeystone brings Keystone up with the administrator admin, the user cinder
// and the user glance in the project service.
func startKeystone(t *testing.T, dir string) *keystone {
	t.Helper()
	k := &keystone{dir: dir, password: rig.NewProject(), port: rig.Ports(t, 1)}
	var err error
	k.databases, err = postgres.Start(t.Context(), postgres.Options{
		Directory: filepath.Join(rig.Directory(t), "openstack"), Volatile: true, LogFile: filepath.Join(dir, "postgres.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.databases.Stop() })
	conf := filepath.Join(dir, "keystone.conf")
	write(t, conf, fmt.Sprintf(keystoneConf, dir, k.database(t, "keystone")))
	write(t, filepath.Join(dir, "keystone.ini"), fmt.Sprintf(keystoneUwsgi, dir, k.port))
	for _, keys := range []string{"fernet", "credential"} {
		if err := os.MkdirAll(filepath.Join(dir, keys), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	manage := []string{"keystone-manage", "--config-file", conf}
	execute(t, append(manage, "db_sync"), nil)
	execute(t, append(manage, "fernet_setup", "--keystone-user", "root", "--keystone-group", "root"), nil)
	execute(t, append(manage, "credential_setup", "--keystone-user", "root", "--keystone-group", "root"), nil)
	execute(t, append(manage, "bootstrap", "--bootstrap-region-id", region, "--bootstrap-public-url", k.url()+"/v3/", "--bootstrap-internal-url", k.url()+"/v3/"),
		[]string{"OS_BOOTSTRAP_PASSWORD=" + k.password})
	rig.Daemon(t, dir, "keystone", nil, "uwsgi_python3", "--ini", filepath.Join(dir, "keystone.ini"))
	answers(t, k.url()+"/v3")
	k.logIn(t)
	for _, name := range []string{"cinder", "glance"} {
		k.addService(t, name)
	}
	return k
}

// database makes an empty database and gives its URL in SQLAlchemy's words, with
// no escapes: Alembic takes a % for one of its own.
func (k *keystone) database(t *testing.T, name string) string {
	t.Helper()
	if err := k.databases.EnsureDatabase(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	plain, err := url.QueryUnescape(k.databases.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(plain, "postgres://", "postgresql+psycopg2://", 1)
}

func (k *keystone) logIn(t *testing.T) {
	t.Helper()
	provider, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{IdentityEndpoint: k.url() + "/v3",
		Username: "admin", Password: k.password, DomainName: "Default", TenantName: "admin", AllowReauth: true})
	if err != nil {
		t.Fatal(err)
	}
	if k.identity, err = openstack.NewIdentityV3(provider, gophercloud.EndpointOpts{Region: region}); err != nil {
		t.Fatal(err)
	}
}

// addService makes a user with the roles admin and service in the project service.
func (k *keystone) addService(t *testing.T, name string) {
	t.Helper()
	project := k.project(t, "service")
	user, err := users.Create(t.Context(), k.identity, users.CreateOpts{Name: name, DomainID: "default", Password: k.password}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"admin", "service"} {
		err := roles.Assign(t.Context(), k.identity, k.role(t, role), roles.AssignOpts{UserID: user.ID, ProjectID: project}).ExtractErr()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (k *keystone) project(t *testing.T, name string) string {
	t.Helper()
	pages, err := projects.List(k.identity, projects.ListOpts{Name: name}).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found, err := projects.ExtractProjects(pages); err == nil && len(found) > 0 {
		return found[0].ID
	}
	project, err := projects.Create(t.Context(), k.identity, projects.CreateOpts{Name: name, DomainID: "default"}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	return project.ID
}

func (k *keystone) role(t *testing.T, name string) string {
	t.Helper()
	pages, err := roles.List(k.identity, roles.ListOpts{Name: name}).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found, err := roles.ExtractRoles(pages); err == nil && len(found) > 0 {
		return found[0].ID
	}
	role, err := roles.Create(t.Context(), k.identity, roles.CreateOpts{Name: name}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	return role.ID
}

// announce puts a service into the catalog.
func (k *keystone) announce(t *testing.T, kind, name, url string) {
	t.Helper()
	service, err := services.Create(t.Context(), k.identity, services.CreateOpts{Type: kind, Extra: map[string]any{"name": name}}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	for _, face := range []gophercloud.Availability{gophercloud.AvailabilityPublic, gophercloud.AvailabilityInternal} {
		_, err := endpoints.Create(t.Context(), k.identity, endpoints.CreateOpts{
			Availability: face, Name: name, Region: region, URL: url, ServiceID: service.ID}).Extract()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// execute runs a program to its end.
func execute(t *testing.T, args, environment []string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), args[0], args[1:]...)
	command.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/"}, environment...)
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, said)
	}
	return string(said)
}

// answers waits until something answers at a URL.
func answers(t *testing.T, url string) {
	t.Helper()
	rig.Eventually(t, time.Minute, func() error {
		response, err := http.Get(url)
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode >= 400 {
			return fmt.Errorf("%s: %s", url, response.Status)
		}
		return nil
	})
}
