package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// fake is a Cinder in memory, in which each change takes one look to happen.
type fake struct {
	mu          sync.Mutex
	volumes     map[string]*fakeVolume
	attachments map[string]string // to their volume
	next        int
	failing     bool // every attachment update is refused
	made        int
}

type fakeVolume struct {
	status, becomes string
	size            int
}

func newFake(t *testing.T) (*fake, Endpoint) {
	f := &fake{volumes: map[string]*fakeVolume{}, attachments: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v3/p/volumes", f.list("id"))
	mux.HandleFunc("GET /v3/p/volumes/detail", f.list("attachments"))
	mux.HandleFunc("POST /v3/p/volumes", f.create)
	mux.HandleFunc("GET /v3/p/volumes/{id}", f.show)
	mux.HandleFunc("DELETE /v3/p/volumes/{id}", f.change(func(v *fakeVolume, _ *http.Request) { v.status, v.becomes = "deleting", gone }))
	mux.HandleFunc("POST /v3/p/volumes/{id}/action", f.change(extend))
	mux.HandleFunc("POST /v3/p/attachments", f.attach)
	mux.HandleFunc("PUT /v3/p/attachments/{id}", f.attachment("attaching"))
	mux.HandleFunc("POST /v3/p/attachments/{id}/action", f.attachment("in-use"))
	mux.HandleFunc("DELETE /v3/p/attachments/{id}", f.attachment("available"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Auth-Token") != "secret" || r.Header.Get("OpenStack-API-Version") == "" {
			http.Error(w, `{"unauthorized":{}}`, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return f, At(server.URL+"/v3/", "p", "secret", "")
}

func (f *fake) list(key string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		items := make([]string, 0, len(f.volumes))
		for id := range f.volumes {
			items = append(items, fmt.Sprintf(`{"%s": "%s"}`, key, id))
		}
		fmt.Fprintf(w, `{"volumes": [%s]}`, strings.Join(items, ", "))
	}
}

func (f *fake) create(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	f.made++
	id := fmt.Sprintf("v%d", f.next)
	f.volumes[id] = &fakeVolume{status: "creating", becomes: "available", size: 1}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"volume": {"id": "%s", "status": "creating"}}`, id)
}

func (f *fake) show(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := r.PathValue("id")
	v := f.volumes[id]
	if v == nil {
		http.Error(w, `{"itemNotFound":{}}`, http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, `{"volume":{"id":"%s","name":"\"status\":\"x\"","replication_status":null,"status":"%s","attachments":[]}}`, id, v.status)
	if v.status != v.becomes {
		v.status = v.becomes
		if v.status == gone {
			delete(f.volumes, id)
		}
	}
}

func (f *fake) change(do func(*fakeVolume, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		v := f.volumes[r.PathValue("id")]
		if v == nil || v.status != "available" {
			http.Error(w, `{"badRequest":{"message":"not available"}}`, http.StatusBadRequest)
			return
		}
		do(v, r)
		w.WriteHeader(http.StatusAccepted)
	}
}

func extend(v *fakeVolume, r *http.Request) {
	var in struct {
		Extend struct {
			NewSize int `json:"new_size"`
		} `json:"os-extend"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	if in.Extend.NewSize != v.size+1 {
		v.status, v.becomes = "error_extending", "error_extending"
		return
	}
	v.size, v.status, v.becomes = in.Extend.NewSize, "extending", "available"
}

func (f *fake) attach(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Attachment struct {
			Volume string `json:"volume_uuid"`
		}
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	f.mu.Lock()
	defer f.mu.Unlock()
	v := f.volumes[in.Attachment.Volume]
	if v == nil || v.status != "available" {
		http.Error(w, `{"badRequest":{"message":"cannot be reserved"}}`, http.StatusBadRequest)
		return
	}
	f.next++
	id := fmt.Sprintf("a%d", f.next)
	f.attachments[id] = in.Attachment.Volume
	v.status, v.becomes = "reserved", "reserved"
	fmt.Fprintf(w, `{"attachment": {"id": "%s"}}`, id)
}

func (f *fake) attachment(status string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.failing && status == "attaching" {
			http.Error(w, `{"computeFault":{"message":"no target"}}`, http.StatusInternalServerError)
			return
		}
		v := f.volumes[f.attachments[r.PathValue("id")]]
		v.status, v.becomes = status, status
	}
}
