package volumed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/copy"
	"clinker/volumed/rpc"
)

const token = "gAAAA-of-one-operation"

// imageService serves one image, whole or as far as a gate lets it.
type imageService struct {
	rpc.Image
	mu   sync.Mutex
	gate chan struct{} // nil: all at once
	half chan struct{} // closed when half has gone
}

// images makes the rig's node one that copies images, and serves one of size bytes.
func (r *rig) images() *imageService {
	copier, err := copy.New(copy.Options{Directory: filepath.Join(r.dir, "..", "conversion")})
	r.must(err)
	r.options.Copier = copier
	r.restart()
	content := append(bytes.Repeat([]byte{'i'}, int(size)-4096), make([]byte, 4096)...)
	sum := sha256.Sum256(content)
	i := &imageService{}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("X-Auth-Token") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		i.mu.Lock()
		gate, half := i.gate, i.half
		i.mu.Unlock()
		w.Header().Set("Content-Length", "1048576")
		if gate != nil {
			_, _ = w.Write(content[:size/2])
			w.(http.Flusher).Flush()
			close(half)
			select {
			case <-gate:
			case <-q.Context().Done():
				return
			}
			_, _ = w.Write(content[size/2:])
			return
		}
		_, _ = w.Write(content)
	}))
	r.t.Cleanup(service.Close)
	i.Image = rpc.Image{URL: service.URL, Token: token, DiskFormat: "raw", Bytes: size, HashAlgo: "sha256", HashValue: hex.EncodeToString(sum[:])}
	return i
}

// stall lets no more than half of the image through until the gate is closed.
func (i *imageService) stall(stalls bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.gate, i.half = nil, nil
	if stalls {
		i.gate, i.half = make(chan struct{}), make(chan struct{})
	}
}

func TestCopyImage(t *testing.T) {
	t.Parallel()
	r, ctx, v := newRig(t), t.Context(), uuid.NewString()
	image := r.images()
	f := fence(v, 1)
	for range 2 { // the second time its result is told
		o, err := r.CopyImage(ctx, f, poolName, image.Image, 2*size)
		r.done(o, err)
		if o.BytesDone != size || o.BytesTotal != size {
			t.Errorf("%d of %d bytes", o.BytesDone, o.BytesTotal)
		}
	}
	data, err := os.ReadFile(r.file(v))
	if err != nil || len(data) != int(2*size) || data[0] != 'i' || data[size-1] != 0 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if _, err := r.CopyImage(ctx, rpc.Fence{OperationID: "late", ResourceID: v}, poolName, image.Image, size); !fault.Is(err, fault.Invalid) {
		t.Errorf("no fence: %v", err)
	}
	// A late worker's copy finds the volume there, and leaves it as it is.
	r.fill(v, 'w')
	r.done(r.CopyImage(ctx, fence(v, 1), poolName, image.Image, 2*size))
	if r.begins(v) != 'w' {
		t.Error("a volume that was ready was written over")
	}
}

func TestCopyImageRefused(t *testing.T) {
	t.Parallel()
	r, ctx, v := newRig(t), t.Context(), uuid.NewString()
	image := r.images().Image
	image.HashValue = strings.Repeat("0", 64)
	o, err := r.CopyImage(ctx, fence(v, 1), poolName, image, size)
	if err != nil || !fault.Is(o.Failure, fault.Invalid) || len(r.names()) != 0 {
		t.Errorf("%v %v %v", o, err, r.names())
	}
	image.Token = ""
	o, err = r.CopyImage(ctx, fence(v, 2), poolName, image, size)
	if err != nil || !fault.Is(o.Failure, fault.Unavailable) || len(r.names()) != 0 {
		t.Errorf("%v %v %v", o, err, r.names())
	}
}

// TestCopyImageInterrupted: the node is stopped in the middle. There is no volume,
// the operation is unknown, and the same call makes it whole.
func TestCopyImageInterrupted(t *testing.T) {
	t.Parallel()
	r, v := newRig(t), uuid.NewString()
	image := r.images()
	image.stall(true)
	f, ended := fence(v, 1), make(chan error, 1)
	node := r.Server
	go func() {
		_, err := node.CopyImage(t.Context(), f, poolName, image.Image, size)
		ended <- err
	}()
	<-image.half
	r.stop()
	<-ended
	image.stall(false)
	r.start()
	if _, err := r.Operation(t.Context(), f.OperationID, 0); !fault.Is(err, fault.NotFound) || len(r.names()) != 0 {
		t.Errorf("after the restart: %v, %v", err, r.names())
	}
	r.done(r.CopyImage(t.Context(), f, poolName, image.Image, size))
	if r.begins(v) != 'i' {
		t.Error("the volume does not hold the image")
	}
}

// TestCopyImageDestroyed: a newer generation ends the copy, and nothing is left.
func TestCopyImageDestroyed(t *testing.T) {
	t.Parallel()
	r, v := newRig(t), uuid.NewString()
	image := r.images()
	image.stall(true)
	ended := make(chan *rpc.Operation, 1)
	go func() {
		o, _ := r.CopyImage(t.Context(), fence(v, 1), poolName, image.Image, size)
		ended <- o
	}()
	<-image.half
	r.done(r.Destroy(t.Context(), fence(v, 2), poolName))
	if o := <-ended; o == nil || !fault.Is(o.Failure, fault.Stale) {
		t.Errorf("the copy ended with %v", o)
	}
	if len(r.names()) != 0 {
		t.Errorf("left: %v", r.names())
	}
}

// TestTokenIsNotKept: the journal on the disk does not have it.
func TestTokenIsNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	image := r.images()
	r.done(r.CopyImage(t.Context(), fence(uuid.NewString(), 1), poolName, image.Image, size))
	r.restart()
	data, err := os.ReadFile(r.path)
	if err != nil || bytes.Contains(data, []byte(token)) {
		t.Errorf("the token is in the journal, or %v", err)
	}
}
