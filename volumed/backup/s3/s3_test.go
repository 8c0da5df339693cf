package s3_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/internal/pki"
	"clinker/volumed/backup"
	"clinker/volumed/backup/drivertest"
	"clinker/volumed/backup/s3"
	"clinker/volumed/backup/s3/s3test"
)

func opened(t *testing.T, o s3.Options) *s3.Driver {
	t.Helper()
	d, err := s3.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	t.Parallel()
	o := s3test.Start(t, "", "")
	drivertest.Run(t, func(t *testing.T) backup.Driver {
		o := o
		o.Bucket = "bucket-" + uuid.NewString()
		return opened(t, o)
	})
}

// TestBackup: full and incremental, and back, through a service.
func TestBackup(t *testing.T) {
	t.Parallel()
	d := opened(t, s3test.Start(t, "", ""))
	path := filepath.Join(t.TempDir(), "volume")
	content := bytes.Repeat([]byte("what the volume held "), 1<<18)
	content = content[:len(content)/512*512]
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	node := func() *backup.Store { return backup.New(backup.Options{Driver: d, Location: "s3", Compress: true}) }
	request := backup.Request{Place: backup.Place{ID: uuid.NewString(), Container: "c"}, VolumeID: uuid.NewString(), Path: path, Bytes: int64(len(content)), Progress: func(int64) {}}
	full, err := node().Create(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	copy(content[4<<20:], "changed")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	request.Place.ID, request.Parent = uuid.NewString(), &full.Place
	more, err := node().Create(t.Context(), request)
	if err != nil || len(more.Needs) != 1 {
		t.Fatal(more, err)
	}
	other := node() // another node has the same store
	all, err := other.Manifests(t.Context(), "c", "", 10)
	if err != nil || len(all) != 2 {
		t.Errorf("%v %v", all, err)
	}
	target := filepath.Join(t.TempDir(), "restored")
	if err := os.WriteFile(target, make([]byte, len(content)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := other.Restore(t.Context(), more.Place, backup.Target{Path: target, Bytes: int64(len(content)), Blank: true, Progress: func(int64) {}}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(target); err != nil || !bytes.Equal(got, content) {
		t.Errorf("other bytes, or %v", err)
	}
	for _, m := range all {
		if err := other.Remove(t.Context(), m.Place); err != nil {
			t.Error(err)
		}
	}
	if all, err := other.Manifests(t.Context(), "c", "", 10); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
}

// TestTLS: the service is believed only if the CA vouches for it.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := pki.EnsureCA(dir); err != nil {
		t.Fatal(err)
	}
	if _, _, err := pki.Issue(dir, "api", pki.API, "localhost", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	o := s3test.Start(t, filepath.Join(dir, "api.crt"), filepath.Join(dir, "api.key"))
	if err := opened(t, o).Put(t.Context(), "a/b", nil); !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.MessageOf(err), "certificate") {
		t.Errorf("an unknown CA: %v", err)
	}
	o.CAFile = filepath.Join(dir, "ca.crt")
	if err := opened(t, o).Put(t.Context(), "a/b", nil); err != nil {
		t.Error(err)
	}
	o.CAFile, o.Insecure = "", true
	if _, err := opened(t, o).Get(t.Context(), "a/b", nil); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, o := range []s3.Options{{}, {Endpoint: "ftp:x"}, {Endpoint: "http://127.0.0.1:1/path"}, {Endpoint: "https://127.0.0.1:1", CAFile: "/no/such/file"}} {
		if _, err := s3.New(o); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	o := s3test.Start(t, "", "")
	o.SecretKey = "another-secret"
	err := opened(t, o).Put(t.Context(), "a/b", nil)
	if !fault.Is(err, fault.Forbidden) || strings.Contains(err.Error(), "another-secret") {
		t.Errorf("a wrong secret: %v", err)
	}
	o.Endpoint = "http://127.0.0.1:1"
	if err := opened(t, o).Put(t.Context(), "a/b", nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody there: %v", err)
	}
}
