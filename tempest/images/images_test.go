package images

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

const imageID = "5a3d0b3e-1f7e-4d5c-9a55-0d4a7a3f1c11"

// service is an image service with one image.
type service struct {
	url     string
	content []byte
	hash    string

	mu      sync.Mutex
	changed *sync.Cond // something was set
	stalls  bool
	begun   chan struct{} // gets something for each download and upload that stalls
	gets    int           // downloads

	made map[string]*madeImage // those that volumes are made into, by id
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{content: make([]byte, 8<<20), begun: make(chan struct{}, 100), made: map[string]*madeImage{}}
	s.changed = sync.NewCond(&s.mu)
	if _, err := rand.Read(s.content[:6<<20]); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(s.content)
	s.hash = hex.EncodeToString(sum[:])
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/images/"+imageID, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"id": imageID, "name": "an image", "status": "active", "disk_format": "raw",
			"container_format": "bare", "size": len(s.content), "os_hash_algo": "sha512", "os_hash_value": s.hash})
	})
	mux.HandleFunc("GET /v2/images/"+imageID+"/file", s.file)
	s.handleMade(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// file gives the image's bytes; while the service stalls the second half is kept back. A
// node that was killed and started again may ask before the service stalls no more.
func (s *service) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	stalls := s.stalls
	s.gets++
	s.mu.Unlock()
	w.Header().Set("Content-Length", fmt.Sprint(len(s.content)))
	if !stalls {
		_, _ = w.Write(s.content)
		return
	}
	_, _ = w.Write(s.content[:len(s.content)/2])
	w.(http.Flusher).Flush()
	s.begun <- struct{}{}
	defer context.AfterFunc(r.Context(), func() { s.set(func() {}) })()
	s.mu.Lock()
	for s.stalls && r.Context().Err() == nil {
		s.changed.Wait()
	}
	s.mu.Unlock()
	if r.Context().Err() == nil {
		_, _ = w.Write(s.content[len(s.content)/2:])
	}
}

func (s *service) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.changed.Broadcast()
}

// world is a cloud and its image service.
type world struct {
	*testing.T
	*rig.Cloud
	images  *service
	project string
}

func newWorld(t *testing.T) *world {
	t.Parallel()
	images := newService(t)
	return &world{t, rig.Start(t, rig.Options{Settings: "glance_api_servers = " + images.url}), images, rig.NewProject()}
}

func (w *world) create() string {
	w.Helper()
	v, err := volumes.Create(w.Context(), w.Client(w, w.project), volumes.CreateOpts{Size: 1, ImageID: imageID}, nil).Extract()
	if err != nil {
		w.Fatal(err)
	}
	return v.ID
}

// whole waits for the volume and compares it with the image.
func (w *world) whole(id string) {
	w.Helper()
	v := rig.AwaitVolume(w, w.Client(w, w.project), id, "available")
	if v.Bootable != "true" || v.VolumeImageMetadata["image_id"] != imageID {
		w.Errorf("%+v", v)
	}
	file, err := os.Open(filepath.Join(w.Nodes[0].Volumes, "volume-"+id))
	if err != nil {
		w.Fatal(err)
	}
	defer file.Close()
	got := make([]byte, len(w.images.content))
	if _, err := file.ReadAt(got, 0); err != nil || !bytes.Equal(got, w.images.content) {
		w.Errorf("the volume does not hold the image: %v", err)
	}
	w.tidy()
}

// tidy: nothing half-made is left on the node.
func (w *world) tidy() {
	w.Helper()
	for _, pattern := range []string{w.Nodes[0].Volumes + "/.making-*", w.Dir + "/*/conversion/*"} {
		if left, _ := filepath.Glob(pattern); len(left) > 0 {
			w.Errorf("left: %v", left)
		}
	}
}

// killed has something killed in the middle of a copy.
func killed(t *testing.T, kill func(*world)) {
	w := newWorld(t)
	w.images.set(func() { w.images.stalls = true })
	id := w.create()
	<-w.images.begun
	v, err := volumes.Get(t.Context(), w.Client(t, w.project), id).Extract()
	if err != nil || v.Status != "downloading" {
		t.Fatalf("%+v %v", v, err)
	}
	kill(w)
	if _, err := os.Stat(filepath.Join(w.Nodes[0].Volumes, "volume-"+id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the volume is there before its bytes are: %v", err)
	}
	w.images.set(func() { w.images.stalls = false })
	w.whole(id)
}

func restart(t *testing.T, r *rig.Role) {
	t.Helper()
	r.Kill()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
}

func TestNodeKilled(t *testing.T) {
	killed(t, func(w *world) { restart(w.T, w.Nodes[0].Role) })
}

func TestSchedulerAndNodeKilled(t *testing.T) {
	killed(t, func(w *world) {
		w.Scheduler.Kill()
		restart(w.T, w.Nodes[0].Role)
		if err := w.Scheduler.Start(); err != nil {
			w.Fatal(err)
		}
	})
}

// TestWrongBytes: the volume goes to error, and a message says why.
func TestWrongBytes(t *testing.T) {
	w := newWorld(t)
	w.images.set(func() { w.images.hash = strings.Repeat("0", 128) })
	id := w.create()
	rig.AwaitVolume(t, w.Client(t, w.project), id, "error")
	var detail string
	err := w.DB.QueryRow(t.Context(), "SELECT detail FROM messages WHERE resource_uuid = $1", id).Scan(&detail)
	if err != nil || !strings.Contains(detail, "its bytes are not those that the image service has a hash of") {
		t.Errorf("told %q, %v", detail, err)
	}
	w.tidy()
}
