package cli

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// tiny is the image that is there at the beginning.
const tiny = "11111111-1111-4111-8111-111111111111"

// withImages gives the arguments of a cloud that has an image service of its own,
// where whatever is asked for is granted.
func withImages(t *testing.T) []string {
	t.Helper()
	s := &imageService{images: map[string]*image{}}
	s.images[tiny] = &image{record: map[string]any{"id": tiny, "name": "tiny", "disk_format": "raw", "container_format": "bare", "visibility": "public"}}
	s.images[tiny].fill(bytes.Repeat([]byte("tiny"), 256<<10))
	server := httptest.NewServer(s.routes())
	t.Cleanup(server.Close)
	return []string{"--image-service", server.URL}
}

type image struct {
	record map[string]any
	bytes  []byte
}

func (i *image) fill(all []byte) {
	sum := sha512.Sum512(all)
	i.bytes = all
	for key, value := range map[string]any{"status": "active", "size": len(all), "os_hash_algo": "sha512", "os_hash_value": hex.EncodeToString(sum[:])} {
		i.record[key] = value
	}
}

type imageService struct {
	mu     sync.Mutex
	images map[string]*image
}

func (s *imageService) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/images", func(w http.ResponseWriter, r *http.Request) {
		i := &image{}
		_ = json.NewDecoder(r.Body).Decode(&i.record)
		i.record["status"] = "queued"
		s.mu.Lock()
		defer s.mu.Unlock()
		s.images[i.record["id"].(string)] = i
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(i.record)
	})
	mux.HandleFunc("GET /v2/images/{id}", s.known(func(w http.ResponseWriter, i *image, _ []byte) { _ = json.NewEncoder(w).Encode(i.record) }))
	mux.HandleFunc("GET /v2/images/{id}/file", s.known(func(w http.ResponseWriter, i *image, _ []byte) { _, _ = w.Write(i.bytes) }))
	mux.HandleFunc("PUT /v2/images/{id}/file", s.known(func(w http.ResponseWriter, i *image, body []byte) {
		i.fill(body)
		w.WriteHeader(http.StatusNoContent)
	}))
	return mux
}

func (s *imageService) known(answer func(w http.ResponseWriter, i *image, body []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		i := s.images[r.PathValue("id")]
		if i == nil || err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer(w, i, body)
	}
}
