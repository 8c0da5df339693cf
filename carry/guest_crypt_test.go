package carry

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"clinker/testbed/guest"
)

// TestGuestOpensAnEncryptedVolume goes the whole way with the kernel's dm-crypt and
// the real cryptsetup.
func TestGuestOpensAnEncryptedVolume(t *testing.T) {
	guest.Require(t)
	s := realService(t)
	s.encrypted = true
	h := New(s.cloud(), nil, Options{})
	h.cloud.WithKeys(keyManager(t))
	shell(t, "modprobe -a dm-crypt xts algif_skcipher")
	t.Cleanup(func() { _ = h.Detach(context.WithoutCancel(t.Context()), "data") })
	attach := func() string {
		t.Helper()
		path, err := h.Attach(t.Context(), "data", AttachOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	mapper := attach()
	if again := attach(); mapper != "/dev/mapper/clinker-"+volumeID || again != mapper {
		t.Fatalf("%s, then %s", mapper, again)
	}
	shell(t, "mkfs.ext4 -q "+mapper+"; mount "+mapper+" /mnt; echo a plain word >/mnt/file")
	refusesDetach(t, h, "is mounted at /mnt")
	grows(t, s, h) // the file system too, which says that the mapped device has
	shell(t, "umount /mnt")
	if err := h.Detach(t.Context(), "data"); err != nil {
		t.Fatal(err)
	}
	leftNothing(t)
	if left := shell(t, "dmsetup ls --target crypt"); strings.Contains(left, "clinker") {
		t.Errorf("left: %s", left)
	}
	shell(t, "cryptsetup isLuks /dev/vg0/carry")
	if found := holds(t, "/dev/vg0/carry", "a plain word"); found {
		t.Error("the word is on the disk as it is")
	}
	if got := shell(t, "mount -o ro "+attach()+" /mnt; cat /mnt/file; umount /mnt"); got != "a plain word\n" {
		t.Errorf("got %q", got)
	}
	t.Run("Silent", func(t *testing.T) { waitsForItsNode(t, s, h) })
	if err := h.Detach(t.Context(), "data"); err != nil {
		t.Fatal(err)
	}
	leftNothing(t)
}

// holds looks for a word in a disk's first 256 MiB.
func holds(t *testing.T, path, word string) bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	piece := make([]byte, 1<<20)
	for range 256 {
		n, err := io.ReadFull(f, piece)
		if bytes.Contains(piece[:n], []byte(word)) {
			return true
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return false
}
