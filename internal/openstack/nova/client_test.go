package nova

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"clinker/internal/fault"
	"clinker/internal/openstack/keystone"
)

// fakeCloud is a Keystone whose catalog has a Nova, and that Nova.
type fakeCloud struct {
	*httptest.Server
	mu       sync.Mutex
	logins   int
	token    string // the one that counts
	got      []map[string]any
	versions []string
	answer   func(w http.ResponseWriter, events []map[string]any)
	without  bool // a catalog without compute
}

func newCloud(t *testing.T) *fakeCloud {
	t.Helper()
	t.Parallel()
	c := &fakeCloud{token: "first"}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /identity/v3/auth/tokens", c.login)
	mux.HandleFunc("POST /compute/v2.1/os-server-external-events", c.events)
	mux.HandleFunc("GET /compute/v2.1/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"version":{"id":"v2.1","status":"CURRENT","version":"2.95","min_version":"2.1"}}`))
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

func (c *fakeCloud) login(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logins++
	catalog := []any{}
	if !c.without {
		catalog = append(catalog, map[string]any{"type": "compute", "name": "nova", "endpoints": []any{
			map[string]any{"interface": "public", "region_id": "one", "region": "one", "url": c.URL + "/compute/v2.1"},
			map[string]any{"interface": "internal", "region_id": "one", "region": "one", "url": "http://127.0.0.1:1/"},
		}})
	}
	w.Header().Set("X-Subject-Token", c.token)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{"token": map[string]any{"catalog": catalog}})
}

// events answers as nova/api/openstack/compute/server_external_events.py does.
func (c *fakeCloud) events(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Header.Get("X-Auth-Token") != c.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var in struct{ Events []map[string]any }
	_ = json.NewDecoder(r.Body).Decode(&in)
	c.got = append(c.got, in.Events...)
	c.versions = append(c.versions, r.Header.Get("OpenStack-API-Version")+" "+r.Header.Get("X-OpenStack-Nova-API-Version"))
	if c.answer != nil {
		c.answer(w, in.Events)
		return
	}
	for _, e := range in.Events {
		e["status"], e["code"] = "completed", 200
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"events": in.Events})
}

func (c *fakeCloud) client(change func(*Config)) *Client {
	cfg := Config{Region: "one", Timeout: 5 * time.Second, Login: keystone.NewLogin(keystone.Config{AuthURL: c.URL + "/identity/v3", Username: "cinder", Password: "x", ProjectName: "service"})}
	if change != nil {
		change(&cfg)
	}
	return New(cfg)
}

func TestEvents(t *testing.T) {
	c := newCloud(t)
	nova := c.client(nil)
	for _, send := range []func(context.Context, string, []string) ([]Refusal, error){nova.VolumeExtended, nova.VolumeReimaged} {
		if refused, err := send(t.Context(), "v", []string{"a", "b"}); err != nil || len(refused) != 0 {
			t.Fatal(refused, err)
		}
	}
	want := []map[string]any{
		{"name": "volume-extended", "server_uuid": "a", "tag": "v"}, {"name": "volume-extended", "server_uuid": "b", "tag": "v"},
		{"name": "volume-reimaged", "server_uuid": "a", "tag": "v"}, {"name": "volume-reimaged", "server_uuid": "b", "tag": "v"},
	}
	for _, e := range c.got {
		delete(e, "status")
		delete(e, "code")
	}
	if diff := cmp.Diff(want, c.got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"compute 2.51 2.51", "compute 2.93 2.93"}, c.versions); diff != "" || c.logins != 1 {
		t.Error(diff, c.logins)
	}
	if refused, err := nova.VolumeExtended(t.Context(), "v", nil); err != nil || refused != nil || len(c.versions) != 2 {
		t.Error("an event for nobody was sent")
	}
}

func TestRefusedEvents(t *testing.T) {
	c := newCloud(t)
	nova := c.client(nil)
	status := func(s int) func(http.ResponseWriter, []map[string]any) {
		return func(w http.ResponseWriter, _ []map[string]any) {
			w.WriteHeader(s)
			_, _ = w.Write([]byte(`{"itemNotFound": {"message": "secret"}}`))
		}
	}
	c.answer = func(w http.ResponseWriter, events []map[string]any) {
		events[0]["code"], events[1]["code"], events[2]["code"] = 200, 404, 422
		w.WriteHeader(http.StatusMultiStatus)
		_ = json.NewEncoder(w).Encode(map[string]any{"events": events})
	}
	refused, err := nova.VolumeExtended(t.Context(), "v", []string{"a", "b", "c"})
	if diff := cmp.Diff([]Refusal{{"b", 404}, {"c", 422}}, refused); err != nil || diff != "" {
		t.Error(err, diff)
	}
	c.answer = status(404)
	refused, err = nova.VolumeExtended(t.Context(), "v", []string{"a"})
	if diff := cmp.Diff([]Refusal{{"a", 404}}, refused); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for s, code := range map[int]fault.Code{400: fault.Unsupported, 406: fault.Unsupported, 403: fault.Forbidden, 500: fault.Unavailable, 503: fault.Unavailable} {
		c.answer = status(s)
		if refused, err := nova.VolumeExtended(t.Context(), "v", []string{"a"}); !fault.Is(err, code) || refused != nil {
			t.Errorf("%d: %v, %v", s, refused, err)
		}
	}
}

// TestTokenExpires: the client logs in again.
func TestTokenExpires(t *testing.T) {
	c := newCloud(t)
	nova := c.client(nil)
	for _, token := range []string{"first", "second", "third"} {
		c.mu.Lock()
		c.token = token
		c.mu.Unlock()
		if _, err := nova.VolumeExtended(t.Context(), "v", []string{"a"}); err != nil {
			t.Errorf("%s: %v", token, err)
		}
	}
}

func TestWithoutNova(t *testing.T) {
	c := newCloud(t)
	for name, nova := range map[string]*Client{
		"another region":                     c.client(func(cfg *Config) { cfg.Region = "two" }),
		"an interface that it does not have": c.client(func(cfg *Config) { cfg.Interface = "admin" }),
	} {
		if _, err := nova.VolumeExtended(t.Context(), "v", []string{"a"}); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	down := c.client(func(cfg *Config) { cfg.Interface = "internal" })
	if _, err := down.VolumeExtended(t.Context(), "v", []string{"a"}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	c.without = true
	if _, err := c.client(nil).VolumeExtended(t.Context(), "v", []string{"a"}); !fault.Is(err, fault.Unsupported) {
		t.Error(err)
	}
	c.Close()
	if _, err := c.client(nil).VolumeExtended(t.Context(), "v", []string{"a"}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}
