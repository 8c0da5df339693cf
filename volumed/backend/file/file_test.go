package file

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/backend/backendtest"
)

// opened gives a backend in a directory of its own.
func opened(t *testing.T) *Backend {
	t.Helper()
	b, err := Open(Options{Directory: filepath.Join(t.TempDir(), "volumes")})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func withoutReflink(b *Backend) *Backend {
	b.reflink = func(int, int) error { return unix.EOPNOTSUPP }
	return b
}

var options = backendtest.Options{
	Unit:     8 << 20,
	Parallel: true,
	Leftover: func(t *testing.T, b backend.Backend, name string) {
		if err := os.WriteFile(b.(*Backend).halfMade(name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	},
}

// TestConformance copies as the file system below the test's directory can.
func TestConformance(t *testing.T) {
	t.Parallel()
	options := options
	probe := opened(t)
	options.OneStepClone = canReflink(t, probe)
	backendtest.Run(t, func(t *testing.T) backend.Backend { return opened(t) }, options)
}

func TestConformanceWithoutReflink(t *testing.T) {
	t.Parallel()
	backendtest.Run(t, func(t *testing.T) backend.Backend { return withoutReflink(opened(t)) }, options)
}

func canReflink(t *testing.T, b *Backend) bool {
	t.Helper()
	from, err := os.Create(b.path("from"))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(b.path("to"))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	return b.reflink(int(to.Fd()), int(from.Fd())) == nil
}

func TestOpen(t *testing.T) {
	t.Parallel()
	if _, err := Open(Options{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a directory: got %v, want Invalid", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Directory: filepath.Join(file, "volumes")}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("below a file: got %v, want Unavailable", err)
	}
}

// TestModes: nobody but the daemon's user may read volumes.
func TestModes(t *testing.T) {
	t.Parallel()
	b := opened(t)
	if err := b.Create(t.Context(), "volume-a", 1<<20); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{b.directory: 0o700, b.path("volume-a"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
	}
}

// TestReopen: volumes stay, what a crash left goes, strangers are left alone.
func TestReopen(t *testing.T) {
	t.Parallel()
	b := opened(t)
	if err := b.Create(t.Context(), "volume-a", 1<<20); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{making + "volume-b", making + "strange", "stranger"} {
		if err := os.WriteFile(b.path(name), make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(Options{Directory: b.directory}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"volume-a": true, making + "volume-b": false, making + "strange": true, "stranger": true,
	} {
		if _, err := os.Stat(b.path(name)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", name, err, want)
		}
	}
	c, err := b.Capacity(t.Context())
	if err != nil || c.LiveBytes != 1<<20 || c.ProvisionedBytes != 1<<20+200 {
		t.Errorf("capacity %+v, %v", c, err)
	}
}

// TestSymbolicLink: a link that somebody put there leads nowhere.
func TestSymbolicLink(t *testing.T) {
	t.Parallel()
	b, outside := opened(t), filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, b.path("volume-a")); err != nil {
		t.Fatal(err)
	}
	if err := b.Extend(t.Context(), "volume-a", 1<<20); err == nil {
		t.Error("Extend followed a link")
	}
	if _, err := b.Device(t.Context(), "volume-a"); err == nil {
		t.Error("Device followed a link")
	}
	if info, err := os.Stat(outside); err != nil || info.Size() != 7 {
		t.Errorf("the file outside: %v %v", info, err)
	}
}

// TestSparse: a clone needs no more room than its source's data.
func TestSparse(t *testing.T) {
	t.Parallel()
	b := withoutReflink(opened(t))
	if err := b.Create(t.Context(), "volume-a", 1<<40); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(b.path("volume-a"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, at := range []int64{1 << 20, 1 << 30, 1<<40 - 4096} {
		if _, err := f.WriteAt([]byte("data"), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Clone(t.Context(), "volume-a", "volume-b", 1<<41, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	var info unix.Stat_t
	if err := unix.Stat(b.path("volume-b"), &info); err != nil {
		t.Fatal(err)
	}
	if info.Size != 1<<41 || info.Blocks*512 > 16<<20 {
		t.Errorf("the clone has %d bytes and uses %d", info.Size, info.Blocks*512)
	}
}

// TestWhoFillsAVolumeSaysWhy: what is missing or full where a volume's bytes come from is
// not taken for the volume, nor for the pool.
func TestWhoFillsAVolumeSaysWhy(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{os.ErrNotExist, unix.ENOSPC} {
		why := fault.Wrap(cause, fault.Unavailable, "the store is away")
		err := opened(t).Import(t.Context(), "volume-a", 1<<20, func(context.Context, string, bool) error { return why })
		if !fault.Is(err, fault.Unavailable) || fault.MessageOf(err) != why.Message {
			t.Errorf("%v became %v", cause, err)
		}
	}
}
