package throttle

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
)

// group is a directory that looks like the controller's root group.
func group(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blk io")
	fill(t, dir, "release_agent", readBytes, writeBytes, readIops, writeIops)
	return dir
}

func fill(t *testing.T, dir string, files ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// mounts is a list of mounts in which the controller is there, or is not.
func mounts(t *testing.T, root string) string {
	t.Helper()
	text := "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"
	if root != "" {
		text += "cgroup " + strings.ReplaceAll(root, " ", `\040`) + " cgroup rw,nosuid,blkio 0 0\n"
	}
	path := filepath.Join(t.TempDir(), "mounts")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenFindsWhatIsMounted(t *testing.T) {
	t.Parallel()
	root := group(t)
	c, err := Open(Options{MountPoint: "/nowhere", Mounts: mounts(t, root), Mount: func(string) error {
		t.Error("mounted once more")
		return nil
	}})
	if err != nil || c.root != root {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestOpenMounts(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "state", "blkio")
	c, err := Open(Options{MountPoint: root, Mounts: mounts(t, ""), Mount: func(path string) error {
		fill(t, path, "release_agent", readBytes, writeBytes, readIops, writeIops)
		return nil
	}})
	if err != nil || c.root != root {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestOpenSaysWhyNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mount func(string) error
		says  string
	}{
		"used by cgroup v2":  {func(string) error { return unix.EBUSY }, "cgroup v2 has the io controller in use"},
		"not root":           {func(string) error { return unix.EPERM }, "cannot be mounted: operation not permitted"},
		"no such controller": {func(string) error { return unix.EINVAL }, "cannot be mounted"},
		"only a part of it":  {func(path string) error { fill(t, path, readBytes, writeBytes, readIops, writeIops); return nil }, "is not the root"},
		"without throttling": {func(path string) error { fill(t, path, "release_agent"); return nil }, "takes no limits"},
	} {
		_, err := Open(Options{MountPoint: filepath.Join(t.TempDir(), "blkio"), Mounts: mounts(t, ""), Mount: c.mount})
		if !fault.Is(err, fault.Unsupported) || !strings.Contains(fault.MessageOf(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(Options{MountPoint: "/nowhere", Mounts: filepath.Join(t.TempDir(), "none")}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("no list of mounts: %v", err)
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	root := group(t)
	c := &Controller{root: root}
	for _, step := range []struct {
		limits Limits
		want   [4]string
	}{
		{Limits{ReadBytesSec: 1 << 20, WriteBytesSec: 2, ReadIopsSec: 30, WriteIopsSec: 1 << 40}, [4]string{"253:7 1048576", "253:7 2", "253:7 30", "253:7 4294967295"}},
		{Limits{WriteBytesSec: math.MaxInt64}, [4]string{"253:7 0", "253:7 9223372036854775807", "253:7 0", "253:7 0"}},
		{Limits{}, [4]string{"253:7 0", "253:7 0", "253:7 0", "253:7 0"}},
	} {
		for _, file := range []string{readBytes, writeBytes, readIops, writeIops} {
			fill(t, root, file) // the kernel's files are not added to, and these are written from their beginning
		}
		if err := c.set("253:7", step.limits); err != nil {
			t.Fatal(err)
		}
		for i, file := range []string{readBytes, writeBytes, readIops, writeIops} {
			if has, _ := os.ReadFile(filepath.Join(root, file)); string(has) != step.want[i] {
				t.Errorf("%+v: %s has %q, want %q", step.limits, file, has, step.want[i])
			}
		}
	}
	if err := c.set("253:7", Limits{ReadIopsSec: -1}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a limit below 0: %v", err)
	}
}

func TestSetOfWhatIsNoDevice(t *testing.T) {
	t.Parallel()
	c := &Controller{root: group(t)}
	for _, path := range []string{"/dev/no-such-device", "/dev/null", t.TempDir()} {
		if err := c.Set(path, Limits{ReadBytesSec: 1}); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzMounted(f *testing.F) {
	f.Add("cgroup /sys/fs/cgroup/blkio cgroup rw,blkio 0 0\n")
	f.Add("cgroup /a\\040b\\134 cgroup rw,blkio,memory 0 0")
	f.Add("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\ncgroup /x cgroup rw,memory")
	f.Add("blkio /blkio tmpfs rw,blkio 0 0")
	f.Fuzz(func(t *testing.T, text string) {
		if path := mounted(text); path != "" && !strings.Contains(text, "blkio") {
			t.Errorf("%q in %q", path, text)
		}
	})
}
