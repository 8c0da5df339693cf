package images

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/tempest/rig"
)

// madeImage is an image that a volume is made into, as Glance has it: while its
// bytes come it is saving, and if they end early it waits for them again.
type madeImage struct {
	record map[string]any
	bytes  []byte
}

// handleMade is the part of the service that takes images.
func (s *service) handleMade(mux *http.ServeMux) {
	mux.HandleFunc("POST /v2/images", func(w http.ResponseWriter, r *http.Request) {
		var record map[string]any
		_ = json.NewDecoder(r.Body).Decode(&record)
		record["status"] = "queued"
		s.set(func() { s.made[record["id"].(string)] = &madeImage{record: record} })
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(record)
	})
	mux.HandleFunc("GET /v2/images/{id}", s.of(func(w http.ResponseWriter, i *madeImage) { _ = json.NewEncoder(w).Encode(i.record) }))
	mux.HandleFunc("GET /v2/images/{id}/file", s.of(func(w http.ResponseWriter, i *madeImage) { _, _ = w.Write(i.bytes) }))
	mux.HandleFunc("DELETE /v2/images/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.set(func() { delete(s.made, r.PathValue("id")) })
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("PUT /v2/images/{id}/file", s.take)
}

func (s *service) of(answer func(http.ResponseWriter, *madeImage)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		i := s.made[r.PathValue("id")]
		if i == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		answer(w, i)
	}
}

// take reads an image's bytes; when the service stalls it stops after a mebibyte,
// until its sender is gone.
func (s *service) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	i, stalls := s.made[r.PathValue("id")], s.stalls
	ready := i != nil && i.record["status"] == "queued"
	if ready {
		i.record["status"] = "saving"
	}
	s.mu.Unlock()
	if !ready {
		w.WriteHeader(http.StatusConflict)
		return
	}
	var all bytes.Buffer
	_, err := io.CopyN(&all, r.Body, 1<<20)
	if stalls {
		s.begun <- struct{}{}
	}
	if err == nil {
		_, err = io.Copy(struct{ io.Writer }{&all}, &slowly{r.Body, s})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && err != io.EOF {
		i.record["status"] = "queued"
		return
	}
	i.bytes, i.record["status"], i.record["size"] = all.Bytes(), "active", all.Len()
	w.WriteHeader(http.StatusNoContent)
}

// slowly gives a byte at a time while the service stalls, so that it sees when its
// sender goes away.
type slowly struct {
	io.Reader
	s *service
}

func (r *slowly) Read(p []byte) (int, error) {
	r.s.mu.Lock()
	stalls := r.s.stalls
	r.s.mu.Unlock()
	if stalls {
		p = p[:1]
	}
	return r.Reader.Read(p)
}

// uploaded asks for an image of a volume.
func (w *world) uploaded(id, format string) (image string) {
	w.Helper()
	made, err := volumes.UploadImage(w.Context(), w.Client(w, w.project), id, volumes.UploadImageOpts{ImageName: "of a volume", DiskFormat: format}).Extract()
	if err != nil {
		w.Fatal(err)
	}
	return made.ImageID
}

// bytesOf gives what a volume holds.
func (w *world) bytesOf(id string) []byte {
	w.Helper()
	all, err := os.ReadFile(filepath.Join(w.Nodes[0].Volumes, "volume-"+id))
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// sameAs waits for the end of an upload and compares the image with the volume.
func (w *world) sameAs(image, id string) {
	w.Helper()
	rig.AwaitVolume(w, w.Client(w, w.project), id, "available")
	w.images.mu.Lock()
	defer w.images.mu.Unlock()
	i := w.images.made[image]
	if i == nil || i.record["status"] != "active" || !bytes.Equal(i.bytes, w.bytesOf(id)) {
		w.Errorf("the image is not the volume's: %+v", i != nil)
	}
}

// TestUploadKilled: node, scheduler or all are killed in the middle; the image is
// whole in the end.
func TestUploadKilled(t *testing.T) {
	for name, kill := range map[string]func(*world){
		"node":      func(w *world) { restart(w.T, w.Nodes[0].Role) },
		"scheduler": func(w *world) { restart(w.T, w.Scheduler) },
		"all": func(w *world) {
			w.Scheduler.Kill()
			w.API.Kill()
			restart(w.T, w.Nodes[0].Role)
			start(w.T, w.Scheduler)
			start(w.T, w.API)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.create()
			rig.AwaitVolume(t, w.Client(t, w.project), id, "available")
			w.images.set(func() { w.images.stalls = true })
			image := w.uploaded(id, "raw")
			<-w.images.begun
			kill(w)
			w.images.set(func() { w.images.stalls = false })
			w.sameAs(image, id)
			w.tidy()
		})
	}
}

// TestReimageKilled: the node is killed in the middle; until the end the volume is
// what it was, and then it is the image.
func TestReimageKilled(t *testing.T) {
	w := newWorld(t)
	client := w.Client(t, w.project)
	v, err := volumes.Create(t.Context(), client, volumes.CreateOpts{Size: 1}, nil).Extract()
	if err != nil {
		t.Fatal(err)
	}
	rig.AwaitVolume(t, client, v.ID, "available")
	file := filepath.Join(w.Nodes[0].Volumes, "volume-"+v.ID)
	old, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err == nil {
		_, err = old.WriteAt(bytes.Repeat([]byte("old"), 1<<20), 512<<20)
		_ = old.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.images.set(func() { w.images.stalls = true })
	client.Microversion = "3.68"
	if err := volumes.ReImage(t.Context(), client, v.ID, volumes.ReImageOpts{ImageID: imageID}).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	<-w.images.begun
	w.Nodes[0].Kill()
	if !bytes.Contains(w.bytesOf(v.ID), []byte("oldoldold")) {
		t.Error("the volume was written to before the image was whole")
	}
	w.images.set(func() { w.images.stalls = false })
	start(t, w.Nodes[0].Role)
	w.whole(v.ID)
	if bytes.Contains(w.bytesOf(v.ID), []byte("oldoldold")) { // three letters are among random bytes now and then
		t.Error("old bytes survive behind the image's end")
	}
}

// TestCachedCreateKilled: the node is killed while it fetches the image that ten
// volumes wait for. It is fetched once more, and all of them hold it.
func TestCachedCreateKilled(t *testing.T) {
	t.Parallel()
	images := newService(t)
	w := &world{t, rig.Start(t, rig.Options{Settings: "glance_api_servers = " + images.url, NodeSettings: "image_volume_cache_enabled = true"}), images, rig.NewProject()}
	images.set(func() { images.stalls = true })
	var ids []string
	for range 10 {
		ids = append(ids, w.create())
	}
	<-images.begun
	w.Nodes[0].Kill()
	images.set(func() { images.stalls = false })
	start(t, w.Nodes[0].Role)
	for _, id := range ids { // all of them, before anything half-made counts as left
		rig.AwaitVolume(t, w.Client(t, w.project), id, "available")
	}
	for _, id := range ids {
		w.whole(id)
	}
	images.set(func() {
		if images.gets != 2 {
			t.Errorf("the image was fetched %d times", images.gets)
		}
	})
	all, err := volumes.List(w.Client(t, w.project), nil).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := volumes.ExtractVolumes(all); err != nil || len(seen) != 10 {
		t.Errorf("the project sees %d volumes, %v", len(seen), err)
	}
}

func start(t *testing.T, r *rig.Role) {
	t.Helper()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
}
