//go:build barbican

package barbican_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"

	"clinker/internal/keys"
	"clinker/internal/keys/keystest"
	"clinker/internal/openstack/barbican"
	"clinker/internal/openstack/builtin"
	"clinker/internal/openstack/cloud"
)

// server is a WSGI server of Debian's barbican-api with a configuration of its
// own, in the foreground: the package's script listens on a fixed port.
// The system's Python is named, which is the one that Debian's packages are for.
const server = `
import sys, threading
from oslo_config import cfg
from barbican.common import config
conf_file, paste, port = sys.argv[1], sys.argv[2], sys.argv[3]
config.CONF([], project='barbican', default_config_files=[conf_file])
from paste import deploy, httpserver
inner, one = deploy.loadapp('config:' + paste, name='main', relative_to='/'), threading.Lock()
def app(environ, start_response): # one at a time, since SQLite has one writer
    with one:
        return list(inner(environ, start_response))
httpserver.serve(app, host='127.0.0.1', port=port)
`

// TestRealBarbican holds the client against Debian's own key manager (apt install
// barbican-api), which asks our built-in identity about tokens. Run with:
// go test -tags barbican
func TestRealBarbican(t *testing.T) {
	identity, accounts := startIdentity(t)
	url := startBarbican(t, identity, accounts[0])
	store, err := barbican.New(barbican.Config{Endpoint: url, Login: cloud.NewLogin(func(ctx context.Context) (*gophercloud.ProviderClient, error) {
		return connect(ctx, identity, accounts[0])
	})})
	if err != nil {
		t.Fatal(err)
	}
	keystest.Run(t, keystest.Rig{Store: store, One: bearer(t, identity, accounts[1]), Other: bearer(t, identity, accounts[2])})

	// Two members of a project share its keys, as Nova needs it.
	id, k := keystest.Made(t, store, bearer(t, identity, accounts[1]), 256)
	got, err := store.Key(t.Context(), bearer(t, identity, accounts[3]), id)
	if err != nil || got.Passphrase() != k.Passphrase() {
		t.Errorf("another member of the project: %v", err)
	}
	if err := store.Delete(t.Context(), keys.Service, id); err == nil {
		t.Error("the service user deletes a project's key: then it need not be deleted with the caller's token")
	}
	if err := store.Delete(t.Context(), bearer(t, identity, accounts[3]), id); err != nil {
		t.Errorf("another member of the project deletes: %v", err)
	}
	castellan(t, identity, url, accounts[1], store, bearer(t, identity, accounts[1]))
}

// castellan has Nova's own library read a key.
func castellan(t *testing.T, identity, url string, a builtin.Account, store keys.Store, b keys.Bearer) {
	id, k := keystest.Made(t, store, b, 256)
	script := `
import sys, binascii
from oslo_config import cfg
from castellan import key_manager, options
from castellan.common.credentials import keystone_password
auth_url, endpoint, user, password, project, key = sys.argv[1:]
conf = cfg.ConfigOpts(); conf([], project='x', default_config_files=[])
options.set_defaults(conf, barbican_endpoint=endpoint, backend='barbican', barbican_api_version='v1')
who = keystone_password.KeystonePassword(password=password, auth_url=auth_url, username=user, user_domain_name='Default', project_name=project, project_domain_name='Default')
print(binascii.hexlify(key_manager.API(conf).get(who, key).get_encoded()).decode())
`
	out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", script, identity+"/v3", url, a.User, a.Password, a.Project, id).Output()
	if err != nil || strings.TrimSpace(string(out)) != k.Passphrase() {
		t.Errorf("castellan reads another key: %v", err)
	}
}

func startIdentity(t *testing.T) (string, []builtin.Account) {
	t.Helper()
	dir := t.TempDir()
	accounts, err := builtin.Bootstrap(dir,
		builtin.Account{User: "cinder", Project: "service", Roles: []string{"admin", "service", "creator"}},
		builtin.Account{User: "one", Project: "one", Roles: []string{"member", "creator"}},
		builtin.Account{User: "other", Project: "other", Roles: []string{"member", "creator"}},
		builtin.Account{User: "colleague", Project: "one", Roles: []string{"member", "creator"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	service, err := builtin.New(builtin.Config{Dir: dir, PublicURL: url})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = service.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return url, accounts
}

func connect(ctx context.Context, identity string, a builtin.Account) (*gophercloud.ProviderClient, error) {
	return openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: identity, Username: a.User, Password: a.Password, DomainName: builtin.DomainName, AllowReauth: true,
		Scope: &gophercloud.AuthScope{ProjectName: a.Project, DomainName: builtin.DomainName},
	})
}

func bearer(t *testing.T, identity string, a builtin.Account) keys.Bearer {
	t.Helper()
	client, err := connect(t.Context(), identity, a)
	if err != nil {
		t.Fatal(err)
	}
	return keys.Bearer{Token: client.Token(), ProjectID: a.Project, UserID: a.User}
}

func startBarbican(t *testing.T, identity string, service builtin.Account) string {
	t.Helper()
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	conf := filepath.Join(dir, "barbican.conf")
	write(t, conf, fmt.Sprintf(`[DEFAULT]
sql_connection = sqlite:///%[1]s/barbican.sqlite
db_auto_create = true
host_href = %[2]s
[simple_crypto_plugin]
kek = MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
[keystone_authtoken]
auth_url = %[3]s/v3
www_authenticate_uri = %[3]s
auth_type = password
username = %[4]s
password = %[5]s
project_name = %[6]s
user_domain_name = Default
project_domain_name = Default
`, dir, url, identity, service.User, service.Password, service.Project))
	script := filepath.Join(dir, "serve.py")
	write(t, script, server)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/python3", script, conf, "/etc/barbican/barbican-api-paste.ini", fmt.Sprint(port))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("%s", text[max(0, len(text)-60000):])
		}
	})
	await(t, url)
	return url
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// await asks until there is an answer.
func await(t *testing.T, url string) {
	t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for late := time.After(time.Minute); ; {
		if r, err := http.Get(url); err == nil {
			r.Body.Close()
			return
		}
		select {
		case <-ticker.C:
		case <-late:
			t.Fatal("barbican-api does not answer")
		}
	}
}
