package copy

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"clinker/internal/fault"
)

// sink is an image service that waits for one image.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	got    []byte
	status int    // to answer a PUT with; 204 when 0
	value  string // of its hash, "" for the right one
	puts   int
	take   func(r *http.Request) // instead of reading
}

func newSink(t *testing.T) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("X-Auth-Token") != secret {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet {
		sum := sha512.Sum512(s.got)
		value := s.value
		if value == "" {
			value = hex.EncodeToString(sum[:])
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "active", "size": len(s.got), "os_hash_algo": "sha512", "os_hash_value": value})
		return
	}
	s.puts++
	if s.take != nil {
		s.take(r)
		return
	}
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	all, err := io.ReadAll(r.Body)
	if err == nil && r.ContentLength == -1 {
		s.got = all
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *rig) upload(s *sink, format Format, path string, size int64) error {
	r.t.Helper()
	last := int64(0)
	err := r.copier.Upload(r.t.Context(), Upload{URL: s.URL + "/v2/images/x/file", Token: secret, DiskFormat: string(format), Compress: true},
		path, size, func(done int64) {
			if done < last || done > size {
				r.t.Errorf("progress went from %d to %d of %d", last, done, size)
			}
			last = done
		})
	if err == nil && last != size {
		r.t.Errorf("progress ended at %d of %d", last, size)
	}
	if left, _ := os.ReadDir(r.copier.Directory); len(left) > 0 {
		r.t.Errorf("%s was left behind", left[0].Name())
	}
	return err
}

// TestUploadEveryFormat: what comes out of the image is what the volume holds.
func TestUploadEveryFormat(t *testing.T) {
	r := newRig(t)
	s := newSink(t)
	volume := filepath.Join(t.TempDir(), "volume")
	if err := os.WriteFile(volume, append(content(), make([]byte, deviceBytes-len(content()))...), 0o600); err != nil {
		t.Fatal(err)
	}
	for format := range uploadFormats {
		if err := r.upload(s, format, volume, deviceBytes); err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		image, back := filepath.Join(t.TempDir(), "image"), filepath.Join(t.TempDir(), "back")
		if err := os.WriteFile(image, s.got, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("qemu-img", "convert", "-f", driver(format), "-O", "raw", image, back).CombinedOutput()
		got, _ := os.ReadFile(back)
		if err != nil || len(got) < deviceBytes || !bytes.Equal(got[:len(content())], content()) || bytes.Trim(got[len(content()):], "\x00") != nil && len(bytes.Trim(got[len(content()):], "\x00")) > 0 {
			t.Errorf("%s: %v %s: %d bytes", format, err, out, len(got))
		}
		if format == Raw || format == Ploop {
			continue
		}
		// What was uploaded is an image that a volume can be made of.
		r.fresh()
		if err := r.write(r.image(format, s.got), true); err != nil {
			t.Errorf("%s, as an image: %v", format, err)
		}
		r.holds(content())
	}
}

// TestUploadReadsRawBytes: a volume that begins as an image with a backing file is
// but bytes.
func TestUploadReadsRawBytes(t *testing.T) {
	r := newRig(t)
	s := newSink(t)
	volume := filepath.Join(t.TempDir(), "volume")
	evil := changed(made(t, QCOW2), 8, "\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x0b")
	evil = append(evil, make([]byte, deviceBytes-len(evil))...)
	if err := os.WriteFile(volume, evil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.upload(s, QCOW2, volume, deviceBytes); err != nil {
		t.Fatal(err)
	}
	r.fresh()
	if err := r.write(r.image(QCOW2, s.got), true); err != nil {
		t.Fatal(err)
	}
	r.holds(evil)
}

func TestUploadRefused(t *testing.T) {
	r := newRig(t)
	volume := filepath.Join(t.TempDir(), "volume")
	if err := os.WriteFile(volume, bytes.Repeat([]byte("v"), deviceBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	for status, code := range map[int]fault.Code{401: fault.Unavailable, 403: fault.Invalid, 404: fault.Invalid, 409: fault.Conflict,
		413: fault.Invalid, 500: fault.Unavailable, 503: fault.Unavailable} {
		s := newSink(t)
		s.status = status
		err := r.upload(s, Raw, volume, deviceBytes)
		if !fault.Is(err, code) && !fault.Is(err, fault.Unavailable) { // the answer may be lost with the connection
			t.Errorf("%d: %v", status, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%d: the token is in the error", status)
		}
	}
	s := newSink(t)
	if err := r.upload(s, "luks", volume, deviceBytes); !fault.Is(err, fault.Invalid) || s.puts != 0 {
		t.Error(err)
	}
	s.value = strings.Repeat("0", 128)
	if err := r.upload(s, Raw, volume, deviceBytes); !fault.Is(err, fault.Invalid) {
		t.Errorf("wrong bytes: %v", err)
	}
	if err := r.upload(s, Raw, volume, deviceBytes+1); err == nil || fault.Is(err, fault.Unavailable) {
		t.Errorf("a volume that is shorter: %v", err)
	}
}

// TestUploadStalls: a service that takes no more bytes is given up.
func TestUploadStalls(t *testing.T) {
	r := newRig(t)
	r.copier.Patience = 200 * time.Millisecond
	volume := filepath.Join(t.TempDir(), "volume")
	if err := errorsOf(os.WriteFile(volume, nil, 0o600), os.Truncate(volume, 1<<30)); err != nil {
		t.Fatal(err)
	}
	s := newSink(t)
	left := make(chan struct{})
	s.take = func(*http.Request) { <-left }
	err := r.copier.Upload(t.Context(), Upload{URL: s.URL + "/file", Token: secret, DiskFormat: "raw"}, volume, 1<<30, func(int64) {})
	close(left)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), "takes no bytes") {
		t.Error(err)
	}
}
