package copy

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"clinker/internal/fault"
)

// rig is a Copier, a device and an image service.
type rig struct {
	t      *testing.T
	copier *Copier
	device string
	serve  http.HandlerFunc
	url    string
}

const (
	deviceBytes = 8 << 20
	secret      = "gAAAA-secret"
)

func newRig(t *testing.T) *rig {
	t.Parallel()
	r := &rig{t: t, device: filepath.Join(t.TempDir(), "device")}
	var err error
	if r.copier, err = New(Options{Directory: filepath.Join(t.TempDir(), "conversion"), Patience: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.serve(w, q) }))
	t.Cleanup(service.Close)
	r.url = service.URL
	r.fresh()
	return r
}

func (r *rig) fresh() {
	if err := errorsOf(os.RemoveAll(r.device), os.WriteFile(r.device, nil, 0o600), os.Truncate(r.device, deviceBytes)); err != nil {
		r.t.Fatal(err)
	}
}

func errorsOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// image describes bytes that are served whole.
func (r *rig) image(f Format, all []byte) Image {
	r.serve = func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("X-Auth-Token") != secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write(all)
	}
	sum := sha512.Sum512(all)
	return Image{URL: r.url, Token: secret, DiskFormat: string(f), SizeBytes: int64(len(all)),
		HashAlgo: "sha512", HashValue: hex.EncodeToString(sum[:])}
}

func (r *rig) write(image Image, blank bool) error {
	r.t.Helper()
	last := int64(0)
	err := r.copier.Write(r.t.Context(), image, Target{Path: r.device, Bytes: deviceBytes, Blank: blank}, func(done int64) {
		if done < last || done > image.SizeBytes {
			r.t.Errorf("progress went from %d to %d of %d", last, done, image.SizeBytes)
		}
		last = done
	})
	left, _ := os.ReadDir(r.copier.Directory)
	if len(left) > 0 {
		r.t.Errorf("%s was left behind", left[0].Name())
	}
	if err == nil && last != image.SizeBytes {
		r.t.Errorf("progress ended at %d of %d", last, image.SizeBytes)
	}
	return err
}

// holds checks the device, and that it is as long as before.
func (r *rig) holds(want []byte) {
	r.t.Helper()
	got, err := os.ReadFile(r.device)
	if err != nil || len(got) != deviceBytes || !bytes.Equal(got[:len(want)], want) {
		r.t.Errorf("the device does not hold the image: %d bytes, %v", len(got), err)
	}
}

func (r *rig) blocks() int64 {
	var info syscall.Stat_t
	if err := syscall.Stat(r.device, &info); err != nil {
		r.t.Fatal(err)
	}
	return info.Blocks * 512
}

func TestWriteEveryFormat(t *testing.T) {
	r := newRig(t)
	images := good(t)
	images["raw"] = content()
	for name, all := range images {
		for _, blank := range []bool{true, false} {
			r.fresh()
			if err := r.write(r.image(formatOf(name), all), blank); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			r.holds(content())
			if used := r.blocks(); blank && used > 1<<20 {
				t.Errorf("%s: the zeroes of the image take %d bytes", name, used)
			}
		}
	}
}

// TestNotBlank: where old bytes may be, zeroes are written.
func TestNotBlank(t *testing.T) {
	r := newRig(t)
	for name, all := range map[string][]byte{"raw": content(), "qcow2": made(t, QCOW2)} {
		if err := os.WriteFile(r.device, bytes.Repeat([]byte{0xaa}, deviceBytes), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.write(r.image(formatOf(name), all), false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.holds(content())
	}
}

func TestRefusedImages(t *testing.T) {
	r := newRig(t)
	qcow2 := made(t, QCOW2)
	backed := changed(qcow2, 8, "\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x0b")
	with := func(i Image, change func(*Image)) Image { change(&i); return i }
	serving := func(i Image, serve http.HandlerFunc) func() Image {
		return func() Image { r.serve = serve; return i }
	}
	raw := func() Image { return r.image(Raw, content()) }
	for name, c := range map[string]struct {
		image func() Image
		code  fault.Code
		says  string
	}{
		"backing file":     {func() Image { return r.image(QCOW2, backed) }, fault.Invalid, "backing file"},
		"qcow2 called raw": {func() Image { return r.image(Raw, qcow2) }, fault.Invalid, "qcow2, and not raw"},
		"raw called vmdk":  {func() Image { return r.image(VMDK, content()) }, fault.Invalid, "raw, and not vmdk"},
		"unknown format":   {func() Image { return r.image("ploop", content()) }, fault.Invalid, "ploop"},
		"wrong hash":       {func() Image { return with(raw(), func(i *Image) { i.HashValue = strings.Repeat("0", 128) }) }, fault.Invalid, "hash"},
		"unknown hash":     {func() Image { return with(raw(), func(i *Image) { i.HashAlgo = "crc32" }) }, fault.Invalid, "crc32"},
		"no hash":          {func() Image { return with(raw(), func(i *Image) { i.HashAlgo = "" }) }, fault.Invalid, "no hash"},
		"no bytes":         {func() Image { return with(raw(), func(i *Image) { i.SizeBytes = 0 }) }, fault.Invalid, "no bytes"},
		"too long":         {func() Image { return with(raw(), func(i *Image) { i.SizeBytes-- }) }, fault.Invalid, "longer"},
		"too short":        {func() Image { return with(raw(), func(i *Image) { i.SizeBytes++ }) }, fault.Unavailable, "bytes"},
		"too large":        {func() Image { return r.image(Raw, make([]byte, deviceBytes+1)) }, fault.Invalid, "does not fit"},
		"too large inside": {func() Image { return r.image(QCOW2, bomb(1)) }, fault.Invalid, "does not fit"},
		"a file":           {func() Image { return with(raw(), func(i *Image) { i.URL = "file:///etc/passwd" }) }, fault.Invalid, "http"},
		"no token":         {func() Image { return with(raw(), func(i *Image) { i.Token = "" }) }, fault.Unavailable, "401"},
		"gone":             {serving(raw(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }), fault.Invalid, "no bytes"},
		"broken":           {serving(raw(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }), fault.Unavailable, "503"},
		"sent elsewhere": {serving(raw(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/other")
			w.WriteHeader(302)
		}), fault.Invalid, "302"},
		"cut off": {serving(raw(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4194304")
			_, _ = w.Write(content()[:2<<20])
		}), fault.Unavailable, "broke"},
	} {
		r.fresh()
		err := r.write(c.image(), true)
		if !fault.Is(err, c.code) || !strings.Contains(fault.MessageOf(err), c.says) {
			t.Errorf("%s: got %v, want %s and %q", name, err, c.code, c.says)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the token is in the error", name)
		}
	}
}

func TestHashes(t *testing.T) {
	r := newRig(t)
	s256, s5 := sha256.Sum256(content()), md5.Sum(content())
	image := r.image(Raw, content())
	for _, h := range [][3]string{{"sha256", hex.EncodeToString(s256[:]), ""}, {"", "", hex.EncodeToString(s5[:])}} {
		image.HashAlgo, image.HashValue, image.Checksum = h[0], h[1], h[2]
		if err := r.write(image, true); err != nil {
			t.Errorf("%v: %v", h, err)
		}
	}
}

// TestCancelled: who ends the work ends the download.
func TestCancelled(t *testing.T) {
	r := newRig(t)
	image, left := r.image(Raw, content()), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.serve = func(w http.ResponseWriter, q *http.Request) {
		_, _ = w.Write(content()[:1<<20])
		w.(http.Flusher).Flush()
		<-q.Context().Done()
		close(left)
	}
	err := r.copier.Write(ctx, image, Target{Path: r.device, Bytes: deviceBytes, Blank: true}, func(int64) { cancel() })
	if err == nil {
		t.Error("the copy ended well")
	}
	<-left
}

// TestStalled: an image service that gives no more bytes is given up.
func TestStalled(t *testing.T) {
	r := newRig(t)
	r.copier.Patience = 100 * time.Millisecond
	image := r.image(Raw, content())
	r.serve = func(w http.ResponseWriter, q *http.Request) {
		_, _ = w.Write(content()[:1<<20])
		w.(http.Flusher).Flush()
		<-q.Context().Done()
	}
	if err := r.write(image, true); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

// Leftovers go when their node starts. Those of another one may be in use: two nodes of
// one machine may have the same image_conversion_dir.
func TestLeftoversGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"image-1", "other"} { // an older program's, and a stranger's
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := func(node string) *Copier {
		c, err := New(Options{Directory: dir, Node: node})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	begin := func(c *Copier) string {
		f, err := c.scratch()
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		return filepath.Base(f.Name())
	}
	begin(start("node1"))
	others := begin(start("node1-2"))
	start("node1")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if !slices.Equal(left, []string{others, "other"}) {
		t.Errorf("left: %v", left)
	}
}

func TestTokenPrintsAsStars(t *testing.T) {
	t.Parallel()
	if Token(secret).String() != "***" || Token(secret).GoString() == secret || Token(secret).LogValue().String() != "***" {
		t.Error("the token shows")
	}
}
