package copy

import (
	"bytes"
	"crypto/rand"
	"os"
	"testing"

	"clinker/internal/direct"
	"clinker/testbed/guest"
	"clinker/volumed/target/targettest"
)

// TestGuestRawOntoLVM writes raw images onto a logical volume with old bytes on it:
// around the page cache, and through it where the image ends within a block. What lies
// behind the image is zeroed when it is asked for, and left alone when not.
func TestGuestRawOntoLVM(t *testing.T) {
	guest.Require(t)
	r := newRig(t)
	r.device = targettest.LogicalVolume(t, deviceBytes).Path
	for _, length := range []int{3<<20 + direct.Block, 3<<20 + 512} {
		image := make([]byte, length)
		rand.Read(image)
		clear(image[1<<20 : 2<<20]) // would be left out of what is blank
		for _, whole := range []bool{false, true} {
			old := bytes.Repeat([]byte{0xaa}, deviceBytes)
			if err := os.WriteFile(r.device, old, 0); err != nil {
				t.Fatal(err)
			}
			to := Target{Path: r.device, Bytes: deviceBytes, Whole: whole}
			if err := r.copier.Write(t.Context(), r.image(Raw, image), to, func(int64) {}); err != nil {
				t.Errorf("%d bytes, whole %t: %v", length, whole, err)
				continue
			}
			want := append(image[:length:length], old[length:]...)
			if whole {
				clear(want[length:])
			}
			if got := onDisk(t, r.device); !bytes.Equal(got, want) {
				t.Errorf("%d bytes, whole %t: the device holds something else", length, whole)
			}
		}
	}
}

// onDisk gives what the device itself has, whatever the page cache holds.
func onDisk(t *testing.T, path string) []byte {
	f, err := direct.Open(path, os.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := direct.Buffer(deviceBytes)
	if _, err := f.ReadAt(all, 0); err != nil {
		t.Fatal(err)
	}
	return all
}
