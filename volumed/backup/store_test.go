package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"clinker/internal/fault"
	"clinker/volumed/backup"
	"clinker/volumed/backup/posix"
)

func opened(t *testing.T, o backup.Options, dir string) (*backup.Store, error) {
	t.Helper()
	driver, err := posix.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	o.Driver, o.Location = driver, "posix:"+dir
	s := backup.New(o)
	return s, s.Open(t.Context())
}

func keyFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOneID: nodes that share a store see one id, also when they are the first at
// once; another store has another.
func TestOneID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			s, err := opened(t, backup.Options{}, dir)
			if err != nil {
				t.Error(err)
			}
			ids[i] = s.ID()
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatal(ids)
		}
	}
	if s, err := opened(t, backup.Options{}, t.TempDir()); err != nil || s.ID() == ids[0] {
		t.Errorf("%v %v", s.ID(), err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	one, two := keyFile(t, strings.Repeat("1f", 32)+"\n"), keyFile(t, strings.Repeat("2f", 32))
	own, kept := t.TempDir(), t.TempDir()
	for _, c := range []struct {
		dir, key string
		want     fault.Code
	}{
		{own, one, ""}, {own, one, ""}, {own, two, fault.Invalid}, {own, "", fault.Invalid},
		{kept, "", ""}, {kept, "", ""}, {kept, one, fault.Invalid},
		{t.TempDir(), keyFile(t, "short"), fault.Invalid}, {t.TempDir(), "/no/such/file", fault.Invalid},
	} {
		s, err := opened(t, backup.Options{KeyFile: c.key}, c.dir)
		if fault.CodeOf(err) != c.want || (s.ID() != "") != (err == nil) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(own, ".clinker/store"))
	if err != nil || strings.Contains(string(text), "1f1f") {
		t.Errorf("the store has the key of the key file: %s %v", text, err)
	}
}

// TestMissingMount: an empty directory where there was a store is not taken for a new
// one, nor another store for the same.
func TestMissingMount(t *testing.T) {
	t.Parallel()
	dir, note := filepath.Join(t.TempDir(), "store"), filepath.Join(t.TempDir(), "note")
	if _, err := opened(t, backup.Options{Note: note}, dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+"-unmounted"); err != nil {
		t.Fatal(err)
	}
	if _, err := opened(t, backup.Options{Note: note}, dir); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), note) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".clinker/store")); err == nil {
		t.Error("a new store was made")
	}
	if _, err := opened(t, backup.Options{}, dir); err != nil { // another node makes one
		t.Fatal(err)
	}
	if _, err := opened(t, backup.Options{Note: note}, dir); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if _, err := opened(t, backup.Options{Note: note}, dir+"-unmounted"); err != nil { // told to be elsewhere now
		t.Error(err)
	}
}

func TestDamagedIdentity(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fault.Code{
		"": fault.Unavailable, "{}": fault.Unavailable, "null": fault.Unavailable, strings.Repeat("x", 1<<20): fault.Invalid,
		`{"format":1,"id":"../x","key":""}`:                                     fault.Unavailable,
		`{"format":2,"id":"3f0b7d52-1f4e-4f35-9b0e-7f6a1f3f6c11"}`:              fault.Unsupported,
		`{"format":1,"id":"3f0b7d52-1f4e-4f35-9b0e-7f6a1f3f6c11","key":"zz"}`:   fault.Unavailable,
		`{"format":1,"id":"3f0b7d52-1f4e-4f35-9b0e-7f6a1f3f6c11","key":"0011"}`: fault.Unavailable,
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, ".clinker"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, ".clinker/store"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := opened(t, backup.Options{}, dir); !fault.Is(err, want) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// TestMountedLater: a node that was started before the store was mounted finds it as
// soon as it is, without being started anew.
func TestMountedLater(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir, note := filepath.Join(top, "store"), filepath.Join(top, "note")
	was, err := opened(t, backup.Options{Note: note}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, filepath.Join(top, "unmounted")); err != nil {
		t.Fatal(err)
	}
	s, err := opened(t, backup.Options{Note: note}, dir)
	if !fault.Is(err, fault.Unavailable) {
		t.Fatalf("without its mount: %v", err)
	}
	if err := os.Rename(dir, filepath.Join(top, "below")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(top, "unmounted"), dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Open(t.Context()); err != nil || s.ID() != was.ID() {
		t.Errorf("with its mount: %q, %v", s.ID(), err)
	}
}
