package openrc

import (
	"reflect"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
)

func TestAuthFrom(t *testing.T) {
	t.Parallel()
	const url = "http://127.0.0.1:5000/v3"
	for _, c := range []struct {
		name string
		env  map[string]string
		want gophercloud.AuthOptions
		says string
	}{
		{"openrc", map[string]string{"OS_AUTH_URL": url, "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "a",
			"OS_USER_DOMAIN_NAME": "D1", "OS_PROJECT_DOMAIN_NAME": "D2"},
			gophercloud.AuthOptions{IdentityEndpoint: url, Username: "u", Password: "p", DomainName: "D1",
				Scope: &gophercloud.AuthScope{ProjectName: "a", DomainName: "D2"}}, ""},
		{"ids", map[string]string{"OS_AUTH_URL": url, "OS_USER_ID": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "a", "OS_PROJECT_NAME": "b"},
			gophercloud.AuthOptions{IdentityEndpoint: url, UserID: "u", Password: "p", Scope: &gophercloud.AuthScope{ProjectID: "a"}}, ""},
		{"no domain named", map[string]string{"OS_AUTH_URL": url, "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "a"},
			gophercloud.AuthOptions{IdentityEndpoint: url, Username: "u", Password: "p", DomainName: "Default",
				Scope: &gophercloud.AuthScope{ProjectName: "a", DomainName: "Default"}}, ""},
		{"application credential", map[string]string{"OS_AUTH_URL": url, "OS_APPLICATION_CREDENTIAL_ID": "i", "OS_APPLICATION_CREDENTIAL_SECRET": "s", "OS_PROJECT_ID": "a"},
			gophercloud.AuthOptions{IdentityEndpoint: url, ApplicationCredentialID: "i", ApplicationCredentialSecret: "s"}, ""},
		{"token", map[string]string{"OS_AUTH_URL": url, "OS_TOKEN": "t", "OS_PROJECT_ID": "a"},
			gophercloud.AuthOptions{IdentityEndpoint: url, TokenID: "t", Scope: &gophercloud.AuthScope{ProjectID: "a"}}, ""},
		{"nothing", nil, gophercloud.AuthOptions{}, "neither OS_AUTH_URL nor OS_CLOUD is set"},
		{"no user", map[string]string{"OS_AUTH_URL": url}, gophercloud.AuthOptions{}, "OS_USERNAME is not set"},
		{"no password", map[string]string{"OS_AUTH_URL": url, "OS_USERNAME": "u"}, gophercloud.AuthOptions{}, "OS_PASSWORD is not set"},
		{"no secret", map[string]string{"OS_AUTH_URL": url, "OS_APPLICATION_CREDENTIAL_ID": "u"}, gophercloud.AuthOptions{}, "SECRET is not set"},
	} {
		got, err := authFrom(func(key string) string { return c.env[key] })
		if c.says != "" {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: got %v", c.name, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v %v", c.name, got, err)
		}
	}
}

func TestTLSAndEndpointFrom(t *testing.T) {
	t.Parallel()
	env := map[string]string{"OS_AUTH_URL": "x", "OS_TOKEN": "t", "OS_INSECURE": "True", "OS_REGION_NAME": "r", "OS_INTERFACE": "internalURL"}
	_, endpoint, config, err := Read(func(key string) string { return env[key] })
	if err != nil || !config.InsecureSkipVerify || endpoint.Region != "r" || endpoint.Availability != gophercloud.AvailabilityInternal {
		t.Errorf("got %+v %v", endpoint, err)
	}
	env["OS_CACERT"] = "/nonexistent"
	if _, _, _, err := Read(func(key string) string { return env[key] }); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}
