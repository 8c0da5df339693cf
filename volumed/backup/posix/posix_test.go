package posix_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"clinker/internal/fault"
	"clinker/volumed/backup"
	"clinker/volumed/backup/drivertest"
	"clinker/volumed/backup/posix"
)

func opened(t *testing.T, directory string) *posix.Driver {
	t.Helper()
	d, err := posix.New(directory)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(t *testing.T) backup.Driver { return opened(t, filepath.Join(t.TempDir(), "store")) })
}

// TestFoldersThatGo: the last object of a folder takes it along, and the next brings
// it back.
func TestFoldersThatGo(t *testing.T) {
	t.Parallel()
	drivertest.StoreAndDelete(t, opened(t, t.TempDir()))
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := posix.New("relative"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opened(t, file+"/below").Put(t.Context(), "a/b", nil); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

// TestNothingOutside: neither dots nor links lead out of the directory.
func TestNothingOutside(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	inside, outside := filepath.Join(top, "store"), filepath.Join(top, "outside")
	for _, dir := range []string{inside, outside} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(outside+"/secret", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, inside+"/link"); err != nil {
		t.Fatal(err)
	}
	d := opened(t, inside)
	for _, folder := range []string{"../outside", "link", "a/../../outside"} {
		if err := d.Put(t.Context(), folder+"/new", []byte("x")); err == nil {
			t.Errorf("%s: stored", folder)
		}
		if got, err := d.Get(t.Context(), folder+"/secret", make([]byte, 0, 100)); err == nil {
			t.Errorf("%s: read %q", folder, got)
		}
		_ = d.Delete(t.Context(), []string{folder + "/secret"})
		_ = d.List(t.Context(), folder, "", func(o backup.Object) bool { t.Errorf("%s: listed %v", folder, o); return true })
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside: %v %v", entries, err)
	}
}

// TestWhatCrashesLeft goes when it is old.
func TestWhatCrashesLeft(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	old, young := filepath.Join(directory, ".clinker/tmp/old"), filepath.Join(directory, ".clinker/tmp/young")
	if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	then := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, then, then); err != nil {
		t.Fatal(err)
	}
	d := opened(t, directory)
	if err := d.Put(t.Context(), "a/b", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("what is old is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("what may be being written was taken away")
	}
	if err := os.Chtimes(young, then, then); err != nil {
		t.Fatal(err)
	}
	d.Later()
	if err := d.Put(t.Context(), "a/b", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(young); err == nil {
		t.Error("what has become old is still there")
	}
}
