package glance

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
	"clinker/internal/openstack/cloud"
)

// service is an image service that knows two images.
func service(t *testing.T) string {
	t.Helper()
	full := map[string]any{"id": "11111111-1111-1111-1111-111111111111", "name": "debian", "status": "active", "disk_format": "qcow2",
		"container_format": "bare", "size": 12345678, "min_disk": 2, "min_ram": 512, "checksum": "abc", "os_hash_algo": "sha512",
		"os_hash_value": "def", "os_hidden": false, "virtual_size": nil, "schema": "/v2/schemas/image", "self": "/v2/images/1",
		"file": "/v2/images/1/file", "tags": []string{}, "visibility": "public", "protected": false, "owner": "o",
		"hw_disk_bus": "scsi", "cinder_img_volume_type": "fast", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
	queued := map[string]any{"id": "2", "name": "a, \"b\"", "status": "queued", "size": nil, "disk_format": nil, "container_format": nil, "checksum": nil}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, what any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(what)
	}
	mux.HandleFunc("GET /v2/images/11111111-1111-1111-1111-111111111111", func(w http.ResponseWriter, _ *http.Request) { answer(w, full) })
	mux.HandleFunc("GET /v2/images/2", func(w http.ResponseWriter, _ *http.Request) { answer(w, queued) })
	mux.HandleFunc("GET /v2/images/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	mux.HandleFunc("GET /v2/images", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("name") {
		case "debian":
			answer(w, map[string]any{"images": []any{full}})
		case "many":
			many := map[string]any{"id": "3", "name": "many", "status": "active"}
			answer(w, map[string]any{"images": []any{many, many}, "next": "/v2/images?name=many&limit=2&marker=3"})
		case `in:"a, \"b\""`:
			answer(w, map[string]any{"images": []any{queued, queued}})
		default:
			answer(w, map[string]any{"images": []any{}})
		}
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Auth-Token") != "good" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func newClient(t *testing.T, urls ...string) *Client {
	t.Helper()
	c, err := New(Config{Servers: urls, Timeout: 5 * time.Second, Retries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestImage(t *testing.T) {
	t.Parallel()
	url := service(t)
	for _, form := range []string{url, url + "/", url + "/v2", url + "/v2/"} {
		image, err := newClient(t, form).Image(t.Context(), "good", "11111111-1111-1111-1111-111111111111")
		want := Image{ID: "11111111-1111-1111-1111-111111111111", Name: "debian", Status: "active", DiskFormat: "qcow2", ContainerFormat: "bare",
			SizeBytes: 12345678, MinDiskGiB: 2, MinRAMMiB: 512, Checksum: "abc", HashAlgo: "sha512", HashValue: "def", Visibility: "public",
			Properties: map[string]string{"hw_disk_bus": "scsi", "cinder_img_volume_type": "fast"}}
		if err != nil || !cmp.Equal(image, want) {
			t.Fatalf("%s: %v %s", form, err, cmp.Diff(want, image))
		}
		meta := map[string]string{"image_id": image.ID, "image_name": "debian", "checksum": "abc", "container_format": "bare", "disk_format": "qcow2",
			"min_disk": "2", "min_ram": "512", "size": "12345678", "hw_disk_bus": "scsi", "cinder_img_volume_type": "fast"}
		if diff := cmp.Diff(meta, image.Metadata()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t, service(t))
	for id, want := range map[string]fault.Code{"none": fault.NotFound, "broken": fault.Unavailable, "2": ""} {
		if _, err := c.Image(t.Context(), "good", id); fault.CodeOf(err) != want {
			t.Errorf("%s: %v", id, err)
		}
	}
	_, err := c.Image(t.Context(), "bad-token", "2")
	if !fault.Is(err, fault.Unauthorized) || strings.Contains(err.Error(), "bad-token") {
		t.Error(err)
	}
	if _, err := newClient(t, "http://127.0.0.1:1").Image(t.Context(), "good", "2"); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if _, err := New(Config{}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// TestNextServer: one that does not answer is no hindrance.
func TestNextServer(t *testing.T) {
	t.Parallel()
	if _, err := newClient(t, "http://127.0.0.1:1", service(t)).Image(t.Context(), "good", "2"); err != nil {
		t.Error(err)
	}
}

// TestBytesOfTheNextServer: an image's bytes are where somebody answers for it.
func TestBytesOfTheNextServer(t *testing.T) {
	t.Parallel()
	there := service(t)
	c := newClient(t, "http://127.0.0.1:1", there)
	c.Login = cloud.NewLogin(func(context.Context) (*gophercloud.ProviderClient, error) {
		return &gophercloud.ProviderClient{TokenID: "good"}, nil
	})
	if _, url, _, err := c.Download(t.Context(), "2"); err != nil || url != there+"/v2/images/2/file" {
		t.Errorf("%s %v", url, err)
	}
}

// TestSilentServer: one that gives no answer is waited for once.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 10)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	c := newClient(t, silent.URL, service(t))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // who asks is patient no longer
		<-asked
		cancel()
	}()
	if _, err := c.Image(ctx, "good", "2"); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if _, err := c.Image(t.Context(), "good", "2"); err != nil || len(asked) > 0 {
		t.Error("the silent one was asked again", err)
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	c := newClient(t, service(t))
	for name, want := range map[string]int{"debian": 1, `a, "b"`: 2, "none": 0, "many": 2} { // of the last there are more without end
		ids, err := c.Named(t.Context(), "good", name)
		if err != nil || len(ids) != want {
			t.Errorf("%s: %v %v", name, ids, err)
		}
	}
}

func TestDownloadWithoutKeystone(t *testing.T) {
	t.Parallel()
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "2", "status": "active"})
	}))
	t.Cleanup(open.Close)
	image, url, token, err := newClient(t, open.URL).Download(context.Background(), "2")
	if err != nil || image.Status != "active" || url != open.URL+"/v2/images/2/file" || token != "" {
		t.Errorf("%+v %s %q %v", image, url, token, err)
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	fine := Image{ContainerFormat: "bare", DiskFormat: "raw"}
	if why := fine.Reason(true); why != "" {
		t.Error(why)
	}
	for says, change := range map[string]func(*Image){
		"signature":   func(i *Image) { i.Properties = map[string]string{"img_signature": "x"} },
		"docker":      func(i *Image) { i.ContainerFormat = "docker" },
		"disk format": func(i *Image) { i.DiskFormat = "ploop" },
	} {
		image := fine
		change(&image)
		if why := image.Reason(true); !strings.Contains(why, says) {
			t.Errorf("%s: %q", says, why)
		}
	}
	signed := fine
	signed.Properties = map[string]string{"img_signature": "x"}
	if why := signed.Reason(false); why != "" {
		t.Error(why)
	}
}
