package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNewestKernel(t *testing.T) {
	t.Parallel()
	boot := t.TempDir()
	if _, err := newestKernel(boot); err == nil || !strings.Contains(err.Error(), "testbed/install.sh") {
		t.Errorf("no kernel: %v, want the script that installs one", err)
	}
	for _, version := range []string{"6.1.0-9-cloud-amd64", "6.1.0-56-cloud-amd64", "5.10.0-99-cloud-amd64", "6.18.0-1-amd64"} {
		if err := os.WriteFile(filepath.Join(boot, "vmlinuz-"+version), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := newestKernel(boot); got != "6.1.0-56-cloud-amd64" || err != nil {
		t.Errorf("newest kernel %q, %v", got, err)
	}
}

func TestLddLine(t *testing.T) {
	t.Parallel()
	output := "/usr/sbin/lvm:\n" +
		"\tlinux-vdso.so.1 (0x00007ffd)\n" +
		"\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)\n" +
		"\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n"
	var got []string
	for _, match := range lddLine.FindAllStringSubmatch(output, -1) {
		got = append(got, match[1])
	}
	if want := []string{"/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"}; !slices.Equal(got, want) {
		t.Errorf("libraries %q, want %q", got, want)
	}
}

// TestBuild makes the image anew, in a cache of its own.
func TestBuild(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	first, err := build(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(first.Initrd)
	if err != nil {
		t.Fatal(err)
	}
	second, err := build(t.Context(), cache)
	if err != nil || second != first {
		t.Errorf("second build %v, %v; first %v", second, err, first)
	}
	if after, err := os.Stat(first.Initrd); err != nil || !os.SameFile(before, after) {
		t.Errorf("the image was made twice: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "build-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
