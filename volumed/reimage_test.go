package volumed

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// TestReimage: all of what the volume held is gone, also behind the image's end.
func TestReimage(t *testing.T) {
	t.Parallel()
	r, ctx, v := newRig(t), t.Context(), uuid.NewString()
	image := r.images()
	r.done(r.Create(ctx, fence(v, 1), poolName, 2*size, false))
	r.must(os.WriteFile(r.file(v), bytes.Repeat([]byte{'o'}, int(2*size)), 0o600))
	f := fence(v, 2)
	for range 2 { // the second time its result is told
		o, err := r.Reimage(ctx, f, poolName, image.Image, 2*size)
		r.done(o, err)
		if o.BytesDone != size || o.BytesTotal != size {
			t.Errorf("%d of %d bytes", o.BytesDone, o.BytesTotal)
		}
	}
	data, err := os.ReadFile(r.file(v))
	if err != nil || len(data) != int(2*size) || data[0] != 'i' || bytes.IndexByte(data, 'o') >= 0 {
		t.Errorf("%d bytes, old ones at %d, %v", len(data), bytes.IndexByte(data, 'o'), err)
	}
	// A refused image leaves a volume of files as it was.
	bad := image.Image
	bad.HashValue = strings.Repeat("0", 64)
	o, err := r.Reimage(ctx, fence(v, 3), poolName, bad, 2*size)
	if err != nil || !fault.Is(o.Failure, fault.Invalid) || r.begins(v) != 'i' {
		t.Errorf("%v %v", o, err)
	}
	attachment := uuid.NewString()
	r.attach(v, attachment, "host")
	o, err = r.Reimage(ctx, fence(v, 4), poolName, image.Image, 2*size)
	if err != nil || !fault.Is(o.Failure, fault.Busy) {
		t.Errorf("while it is exported: %v %v", o, err)
	}
}

// TestReimageInterrupted: the node is stopped in the middle, and the same call
// makes the volume whole.
func TestReimageInterrupted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	image := r.images()
	v := r.volume()
	r.fill(v, 'o')
	image.stall(true)
	f, ended := fence(v, 2), make(chan error, 1)
	node := r.Server
	go func() {
		_, err := node.Reimage(t.Context(), f, poolName, image.Image, size)
		ended <- err
	}()
	<-image.half
	r.stop()
	<-ended
	image.stall(false)
	r.start()
	r.done(r.Reimage(t.Context(), f, poolName, image.Image, size))
	if data, err := os.ReadFile(r.file(v)); err != nil || bytes.IndexByte(data, 'o') >= 0 || data[0] != 'i' {
		t.Errorf("the volume does not hold the image: %v", err)
	}
}

// store is an image service that takes an image.
type store struct {
	*httptest.Server
	mu    sync.Mutex
	got   []byte
	begun chan struct{} // told of each that waits
	gate  chan struct{} // nil: none waits
}

func newStore(t *testing.T) *store {
	s := &store{begun: make(chan struct{}, 10)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("X-Auth-Token") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if q.Method == http.MethodGet {
			s.mu.Lock()
			defer s.mu.Unlock()
			_ = json.NewEncoder(w).Encode(map[string]any{"status": "active", "size": len(s.got)})
			return
		}
		s.mu.Lock()
		gate := s.gate
		s.mu.Unlock()
		if gate != nil {
			s.begun <- struct{}{}
			<-gate
		}
		all, err := io.ReadAll(q.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = all
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *store) upload(format string) rpc.Upload {
	return rpc.Upload{ImageID: uuid.NewString(), URL: s.URL + "/v2/images/x/file", Token: token, DiskFormat: format}
}

func TestUploadImage(t *testing.T) {
	t.Parallel()
	r, s := newRig(t), newStore(t)
	r.images()
	v := r.volume()
	r.fill(v, 'v')
	up := s.upload("raw")
	f := fence(v, 1)
	for range 2 {
		o, err := r.UploadImage(t.Context(), f, poolName, up, size)
		r.done(o, err)
		if o.BytesDone != size || o.BytesTotal != size {
			t.Errorf("%d of %d bytes", o.BytesDone, o.BytesTotal)
		}
	}
	want, err := os.ReadFile(r.file(v))
	if err != nil || !bytes.Equal(s.got, want) {
		t.Errorf("the image has %d bytes, %v", len(s.got), err)
	}
	// In use it is read from a snapshot, which goes.
	r.attach(v, uuid.NewString(), "host")
	s.got = nil
	r.done(r.UploadImage(t.Context(), fence(v, 2), poolName, s.upload("raw"), size))
	if !bytes.Equal(s.got, want) || len(r.names()) != 1 {
		t.Errorf("the image has %d bytes; left %v", len(s.got), r.names())
	}
	up.Token = "wrong"
	o, err := r.UploadImage(t.Context(), fence(v, 2), poolName, up, size)
	if err != nil || !fault.Is(o.Failure, fault.Unavailable) {
		t.Errorf("%v %v", o, err)
	}
	if _, err := r.UploadImage(t.Context(), fence(v, 2), poolName, rpc.Upload{ImageID: "../x"}, size); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// TestUploadImageInterrupted: the node is stopped in the middle; nothing whole
// arrived, and the same call sends all.
func TestUploadImageInterrupted(t *testing.T) {
	t.Parallel()
	r, s := newRig(t), newStore(t)
	r.images()
	v := r.volume()
	r.fill(v, 'v')
	s.gate = make(chan struct{})
	up, f, ended := s.upload("raw"), fence(v, 1), make(chan error, 1)
	node := r.Server
	go func() {
		_, err := node.UploadImage(t.Context(), f, poolName, up, size)
		ended <- err
	}()
	<-s.begun
	r.stop()
	<-ended
	close(s.gate)
	s.mu.Lock()
	s.gate = nil
	s.mu.Unlock()
	r.start()
	r.done(r.UploadImage(t.Context(), f, poolName, up, size))
	s.mu.Lock()
	defer s.mu.Unlock()
	if want, _ := os.ReadFile(r.file(v)); !bytes.Equal(s.got, want) {
		t.Errorf("the image has %d bytes", len(s.got))
	}
}

// TestUploadKilled: the copy of a volume in use goes by itself when the node that
// made it has been killed, or with its volume at the latest.
func TestUploadKilled(t *testing.T) {
	t.Parallel()
	for _, destroyed := range []bool{false, true} {
		r, ctx := newRig(t), t.Context()
		v, image := r.volume(), uuid.NewString()
		name, _, err := r.atRest(ctx, r.pools[poolName], v, image)
		if err != nil || name != backend.VolumeName(v) {
			t.Errorf("of a volume that is not in use: %s, %v", name, err)
		}
		a := uuid.NewString()
		r.attach(v, a, "host")
		if name, _, err = r.atRest(ctx, r.pools[poolName], v, image); err != nil || name != backend.SnapshotName(image) {
			t.Fatalf("of a volume in use: %s, %v", name, err)
		}
		want := []string{v}
		r.restart()
		if destroyed {
			r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
			r.done(r.Destroy(ctx, fence(v, 2), poolName))
			want = []string{}
		} else {
			r.must(r.dropStills(ctx, ""))
		}
		if names := r.names(); !slices.Equal(names, want) {
			t.Errorf("left: %v, want %v", names, want)
		}
		if kept, err := r.journal.Stills(); err != nil || len(kept) > 0 {
			t.Errorf("the journal keeps %v, %v", kept, err)
		}
	}
}
