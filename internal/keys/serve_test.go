package keys_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/keymanager/v1/secrets"

	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/keys/keystest"
	"clinker/internal/openstack/identity"
)

// people are tokens.
type people map[string]identity.Identity

func (p people) Authenticate(_ context.Context, token, _ string) (identity.Identity, error) {
	id, known := p[token]
	if !known {
		return id, fault.New(fault.Unauthorized, "The token is unknown.")
	}
	return id, nil
}

var crowd = people{
	"member":    {ProjectID: "one", UserID: "m", Roles: []string{"member", "reader"}},
	"reader":    {ProjectID: "one", UserID: "r", Roles: []string{"reader"}},
	"neighbour": {ProjectID: "other", UserID: "n", Roles: []string{"member"}},
	"admin":     {ProjectID: "admin", UserID: "a", Roles: []string{"admin", "member"}, IsAdmin: true},
	"system":    {UserID: "s", Roles: []string{"admin"}, IsAdmin: true, SystemScope: "all"},
}

func TestHandler(t *testing.T) {
	t.Parallel()
	table := &memory{rows: map[string]keys.Sealed{}}
	store := keys.NewLocal(table, ring(t, filepath.Join(t.TempDir(), "key-file")))
	id, k := keystest.Made(t, store, bearer("one"), 256)
	own, _ := keystest.Made(t, store, keys.Service, 256)
	empty, err := store.Reserve(t.Context(), bearer("one"), keys.Spec{Name: "empty", Algorithm: "aes", Bits: 256})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(keys.Handler(store, crowd))
	t.Cleanup(server.Close)
	const secret, octets = "/v1/secrets/", "application/octet-stream"
	for _, c := range []struct {
		who, method, path, accept string
		status                    int
	}{
		{"member", "GET", secret + id, "application/json", 200}, {"member", "GET", secret + id + "/payload", octets, 200},
		{"member", "GET", secret + id + "/payload", "", 200}, {"member", "GET", secret + id, octets, 200},
		{"member", "GET", secret + id + "/payload", "text/plain", 406},
		{"reader", "GET", secret + id + "/payload", octets, 403}, {"reader", "GET", secret + id, "", 403},
		{"neighbour", "GET", secret + id + "/payload", octets, 404}, {"neighbour", "GET", secret + id, "", 404},
		{"admin", "GET", secret + id + "/payload", octets, 404}, {"system", "GET", secret + id + "/payload", octets, 403},
		{"nobody", "GET", secret + id + "/payload", octets, 401}, {"", "GET", secret + id, "", 401},
		{"member", "GET", secret + own + "/payload", octets, 404}, {"member", "GET", secret + empty + "/payload", octets, 404},
		{"member", "GET", secret + "nonsense", "", 404}, {"member", "GET", secret, "", 404}, {"member", "GET", "/v1/orders", "", 404},
		{"member", "DELETE", secret + id, "", 405}, {"member", "PUT", secret + id, "", 405}, {"member", "POST", "/v1/secrets", "", 405},
		{"", "GET", "/", "", 300}, {"", "GET", "", "", 300}, {"", "GET", "/v1/", "", 200}, {"", "GET", "/v1", "", 200},
	} {
		body, status := ask(t, server.URL+keys.ServedAt+c.path, c.method, c.who, c.accept)
		if status != c.status {
			t.Errorf("%s %s %s as %s: %d, want %d: %s", c.method, c.path, c.accept, c.who, status, c.status, body)
		}
		given := strings.Contains(body, string(k.Material)) || strings.Contains(body, k.Passphrase())
		if wanted := status == 200 && (c.accept == octets || strings.HasSuffix(c.path, "/payload")); given != wanted {
			t.Errorf("%s %s as %s: the key is in the answer: %v", c.method, c.path, c.who, given)
		}
	}
}

func ask(t *testing.T, url, method, token, accept string) (string, int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), response.StatusCode
}

// Clients of Barbican find what they look for.
func TestGophercloudReadsKeys(t *testing.T) {
	t.Parallel()
	store := keys.NewLocal(&memory{rows: map[string]keys.Sealed{}}, ring(t, filepath.Join(t.TempDir(), "key-file")))
	id, k := keystest.Made(t, store, bearer("one"), 256)
	server := httptest.NewServer(keys.Handler(store, crowd))
	t.Cleanup(server.Close)
	url := server.URL + keys.ServedAt + "/"
	client := &gophercloud.ServiceClient{ProviderClient: &gophercloud.ProviderClient{TokenID: "member"}, Endpoint: url, ResourceBase: url + "v1/"}
	s, err := secrets.Get(t.Context(), client, id).Extract()
	if err != nil || s.BitLength != 256 || s.Algorithm != "aes" || s.SecretType != "symmetric" {
		t.Fatalf("%+v %v", s, err)
	}
	payload, err := secrets.GetPayload(t.Context(), client, id, secrets.GetPayloadOpts{PayloadContentType: "application/octet-stream"}).Extract()
	if err != nil || string(payload) != string(k.Material) {
		t.Fatal(err)
	}
}
