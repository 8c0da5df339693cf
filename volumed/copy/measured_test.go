package copy

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/fault"
)

// saying gives a VHD whose footers say another size, in bytes, than its geometry.
func saying(image []byte, bytes uint64) []byte {
	for _, footer := range [][]byte{image[:tailBytes], image[len(image)-tailBytes:]} {
		be.PutUint64(footer[vhdCurrentSize:], bytes)
		clear(footer[64:68])
		sum := uint32(0)
		for _, b := range footer {
			sum += uint32(b)
		}
		be.PutUint32(footer[64:], ^sum)
	}
	return image
}

// TestWholeBehindTheImage: what a program does not write of a volume reads as
// zeroes, however long the image's header says that it is.
func TestWholeBehindTheImage(t *testing.T) {
	r := newRig(t)
	image := saying(made(t, VHD), 7<<20)
	if virtual, err := inspectVHD(bytes.NewReader(image), int64(len(image))); err != nil || virtual != 7<<20 {
		t.Fatalf("the header says %d bytes, %v", virtual, err)
	}
	if err := os.WriteFile(r.device, bytes.Repeat([]byte{0xff}, deviceBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	err := r.copier.Write(t.Context(), r.image(VHD, image), Target{Path: r.device, Bytes: deviceBytes, Whole: true}, func(int64) {})
	device, _ := os.ReadFile(r.device)
	if left := bytes.Count(device[len(content()):], []byte{0xff}); err != nil || left > 0 {
		t.Errorf("%d old bytes behind the image, %v", left, err)
	}
	r.holds(content())
}

// TestTooLargeByGeometry: a header that says too little is no way around the
// sentence that says why an image does not fit.
func TestTooLargeByGeometry(t *testing.T) {
	r := newRig(t)
	image := saying(made(t, VHD), 1<<20)
	err := r.copier.Write(t.Context(), r.image(VHD, image), Target{Path: r.device, Bytes: 2 << 20}, func(int64) {})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("got %v", err)
	}
}

// qemuInfo is what qemu-img says of an image.
type qemuInfo struct {
	VirtualSize int64  `json:"virtual-size"`
	Backing     string `json:"backing-filename"`
	Full        string `json:"full-backing-filename"`
	Specific    struct {
		Data struct {
			DataFile string `json:"data-file"`
			Extents  []struct {
				Filename string `json:"filename"`
			} `json:"extents"`
		} `json:"data"`
	} `json:"format-specific"`
}

// others are the files beside itself that the image names.
func (i qemuInfo) others(path string) (names []string) {
	for _, name := range []string{i.Backing, i.Full, i.Specific.Data.DataFile} {
		if name != "" {
			names = append(names, name)
		}
	}
	for _, e := range i.Specific.Data.Extents {
		if e.Filename != path {
			names = append(names, e.Filename)
		}
	}
	return names
}

// FuzzInspectAsQEMU: of an image that has been let through qemu-img finds no other
// file either.
func FuzzInspectAsQEMU(f *testing.F) {
	formats := []Format{QCOW2, VMDK, VHD, VHDX, VDI, VMDK}
	images := [][]byte{made(f, QCOW2), made(f, VMDK), made(f, VHD), made(f, VHDX), made(f, VDI), made(f, VMDK, "-o", "subformat=streamOptimized")}
	for i, image := range images {
		f.Add(uint8(i), uint32(0), image[:64])
		f.Add(uint8(i), uint32(512), image[512:640])
	}
	f.Add(uint8(0), uint32(72), []byte("\x00\x00\x00\x00\x00\x00\x00\x04"))
	f.Add(uint8(0), uint32(112), []byte("\x12\x34\x56\x78\x00\x00\x00\x05abcde\x00\x00\x00\x44\x41\x54\x41\x00\x00\x00\x0b/etc/passwd"))
	f.Add(uint8(1), uint32(600), []byte("\x00parentFileNameHint=\"/etc/passwd\"\n"))
	path := filepath.Join(f.TempDir(), "image")
	f.Fuzz(func(t *testing.T, which uint8, at uint32, over []byte) {
		format, image := formats[int(which)%len(formats)], bytes.Clone(images[int(which)%len(images)])
		copy(image[int64(at)%int64(len(image)):], over)
		if err := inspect(format, bytes.NewReader(image), int64(len(image))); err != nil {
			return
		}
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		output, err := exec.Command("prlimit", "--as=1073741824", "--cpu=10", "--", "qemu-img", "info", "-f", driver(format), "--output=json", path).Output()
		if err != nil {
			return // it says no
		}
		var has qemuInfo
		if err := json.Unmarshal(output, &has); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		if others := has.others(path); len(others) > 0 {
			t.Fatalf("%s: %q", format, others)
		}
	})
}
