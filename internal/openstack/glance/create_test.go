package glance

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"clinker/internal/fault"
)

// catalogue is an image service that keeps images.
type catalogue struct {
	mu     sync.Mutex
	images map[string]map[string]any
	refuse int // status to refuse creations with
	says   string
}

func newCatalogue(t *testing.T) (*catalogue, *Client) {
	c := &catalogue{images: map[string]map[string]any{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, newClient(t, server.URL)
}

func (c *catalogue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := strings.Trim(strings.TrimPrefix(r.URL.Path, "/v2/images"), "/")
	image := c.images[id]
	answer := func(status int, what any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(what)
	}
	switch {
	case r.Method == http.MethodPost && c.refuse != 0:
		w.WriteHeader(c.refuse)
		if c.says != "" {
			_, _ = w.Write([]byte(c.says))
			return
		}
		_, _ = w.Write([]byte("<html>\n <head>\n  <title>400 Bad Request</title>\n </head>\n <body>\n  <h1>400 Bad Request</h1>\n  Invalid container format &#x27;tar&#x27; for image.<br /><br />\n\n </body>\n</html>"))
	case r.Method == http.MethodPost:
		_ = json.NewDecoder(r.Body).Decode(&image)
		id = image["id"].(string)
		if c.images[id] != nil {
			w.WriteHeader(http.StatusConflict)
			return
		}
		image["status"] = "queued"
		c.images[id] = image
		answer(http.StatusCreated, image)
	case image == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete && image["protected"] == true:
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodDelete:
		delete(c.images, id)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPatch:
		image["protected"] = false
		answer(http.StatusOK, image)
	default:
		answer(http.StatusOK, image)
	}
}

func TestCreateAndDelete(t *testing.T) {
	t.Parallel()
	service, c := newCatalogue(t)
	yes := true
	n := NewImage{ID: "11111111-1111-1111-1111-111111111111", Name: "of a volume", DiskFormat: "qcow2", ContainerFormat: "bare", Visibility: "private",
		Protected: &yes, Properties: map[string]string{"hw_disk_bus": "scsi"}}
	for range 2 { // an answer may be lost
		image, err := c.Create(t.Context(), "good", n)
		if err != nil || image.ID != n.ID || image.Status != "queued" || !image.Protected || image.Visibility != "private" || image.Properties["hw_disk_bus"] != "scsi" {
			t.Errorf("%+v %v", image, err)
		}
	}
	service.images[n.ID]["status"] = "active"
	if err := c.Delete(t.Context(), n.ID, true); err != nil || len(service.images) != 1 {
		t.Errorf("a whole one: %v, left %d", err, len(service.images))
	}
	for range 2 {
		if err := c.Delete(t.Context(), n.ID, false); err != nil || len(service.images) != 0 {
			t.Errorf("a protected one: %v, left %d", err, len(service.images))
		}
	}
}

func TestCreateRefused(t *testing.T) {
	t.Parallel()
	service, c := newCatalogue(t)
	service.refuse = http.StatusBadRequest
	_, err := c.Create(t.Context(), "good", NewImage{ID: "1", Name: "x"})
	if !fault.Is(err, fault.Invalid) || fault.MessageOf(err) != "The image service refuses the image: 400 Bad Request Invalid container format 'tar' for image." {
		t.Error(err)
	}
	service.says = `{"message": "Invalid container format &#x27;tar&#x27; for image.<br /><br />\n\n\n", "code": "400 Bad Request", "title": "Bad Request"}`
	if _, again := c.Create(t.Context(), "good", NewImage{ID: "1", Name: "x"}); fault.MessageOf(again) != fault.MessageOf(err) {
		t.Error(again)
	}
	service.refuse = http.StatusServiceUnavailable
	if _, err := c.Create(t.Context(), "good", NewImage{ID: "1", Name: "x"}); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}
