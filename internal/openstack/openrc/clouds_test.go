package openrc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
)

func TestCloudsYAML(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	write(t, filepath.Join(directory, "secure.yaml"), "clouds: {plain: {auth: {password: hidden}}}")
	file := filepath.Join(directory, "clouds.yaml")
	write(t, file, `
clouds:
  plain:
    auth: {auth_url: http://127.0.0.1:5000/v3, username: u, project_name: a}
    region_name: RegionTwo
    interface: internal
    verify: false
  domains:
    auth: {auth_url: http://127.0.0.1:5000/v3, username: u, password: p, user_domain_name: D1, project_name: a, project_domain_id: d2}
  credential:
    auth_type: v3applicationcredential
    auth: {auth_url: http://127.0.0.1:5000/v3, application_credential_id: i, application_credential_secret: s}
  nowhere:
    auth: {username: u}
  nobody:
    auth: {auth_url: http://127.0.0.1:5000/v3, project_name: a}
`)
	env := map[string]string{"OS_CLIENT_CONFIG_FILE": file, "OS_AUTH_URL": "http://other", "OS_USERNAME": "other"}
	read := func(cloud string) (gophercloud.AuthOptions, gophercloud.EndpointOpts, bool, error) {
		auth, endpoint, config, err := Read(func(key string) string {
			if key == "OS_CLOUD" {
				return cloud
			}
			return env[key]
		})
		return auth, endpoint, config != nil && config.InsecureSkipVerify, err
	}

	auth, endpoint, insecure, err := read("plain")
	if err != nil || auth.IdentityEndpoint != "http://127.0.0.1:5000/v3" || auth.Username != "u" || auth.Password != "hidden" ||
		auth.DomainName != "Default" || *auth.Scope != (gophercloud.AuthScope{ProjectName: "a", DomainName: "Default"}) {
		t.Errorf("plain: got %+v, scope %+v, %v", auth, auth.Scope, err)
	}
	if endpoint.Region != "RegionTwo" || endpoint.Availability != gophercloud.AvailabilityInternal || !insecure {
		t.Errorf("plain: got %+v, insecure %t", endpoint, insecure)
	}
	auth, _, _, err = read("domains")
	if err != nil || auth.DomainName != "D1" || *auth.Scope != (gophercloud.AuthScope{ProjectName: "a", DomainID: "d2"}) {
		t.Errorf("domains: got %+v, scope %+v, %v", auth, auth.Scope, err)
	}
	auth, _, _, err = read("credential")
	if err != nil || auth.ApplicationCredentialID != "i" || auth.ApplicationCredentialSecret != "s" || auth.Scope != nil || auth.DomainName != "" {
		t.Errorf("credential: got %+v, scope %+v, %v", auth, auth.Scope, err)
	}
	env["OS_PASSWORD"] = "typed"
	if auth, _, _, err = read("plain"); err != nil || auth.Password != "typed" {
		t.Errorf("a password in the environment: got %+v %v", auth, err)
	}
	for cloud, says := range map[string]string{"nowhere": "no auth_url", "nobody": "no username", "another": `"another" not found`} {
		if _, _, _, err := read(cloud); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", cloud, err)
		}
	}
}

// A file that is wrong is told of without what stands in it.
func TestCloudsYAMLKeepsSecrets(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	env := map[string]string{"OS_CLIENT_CONFIG_FILE": file, "OS_CLOUD": "c"}
	for _, text := range []string{"clouds: {c: {auth: hidden}}", "clouds: {c: {auth: {auth_url: [hidden]}}}", "clouds: {c: {auth: {password: hidden"} {
		write(t, file, text)
		_, _, _, err := Read(func(key string) string { return env[key] })
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
