package copy

import (
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkImageToVolume brings an image of 256 MiB that does not compress onto a
// file, from a service in the same process and by qemu-img convert from the same
// bytes on the same disk. cpu-ms/op is the processor time of all of it; where more
// runs on a machine than it has processors, that and not the rate can be compared.
func BenchmarkImageToVolume(b *testing.B) {
	const size = 256 << 20
	dir := b.TempDir()
	raw, qcow2 := filepath.Join(dir, "raw"), filepath.Join(dir, "qcow2")
	f, err := os.Create(raw)
	if err == nil {
		_, err = io.CopyN(f, rand.Reader, size)
	}
	if err = errorsOf(err, f.Close(), exec.Command("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, qcow2).Run()); err != nil {
		b.Fatal(err)
	}
	copier, err := New(Options{Directory: filepath.Join(dir, "conversion")})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	device := filepath.Join(dir, "device")
	for format, path := range map[Format]string{Raw: raw, QCOW2: qcow2} {
		image := Image{URL: server.URL + "/" + filepath.Base(path), DiskFormat: string(format), HashAlgo: "sha512"}
		image.SizeBytes, image.HashValue = hashed(b, path)
		b.Run(string(format)+"/clinker", func(b *testing.B) {
			rate(b, size, device, func() error {
				return copier.Write(b.Context(), image, Target{Path: device, Bytes: size, Blank: true}, func(int64) {})
			})
		})
		b.Run(string(format)+"/qemu-img", func(b *testing.B) {
			rate(b, size, device, func() error {
				return exec.Command("qemu-img", "convert", "-f", string(format), "-O", "raw", "-n", path, device).Run()
			})
		})
	}
}

func hashed(b *testing.B, path string) (int64, string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	sum := sha512.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		b.Fatal(err)
	}
	return n, hex.EncodeToString(sum.Sum(nil))
}

// rate does it onto a fresh device, and waits for the disk.
func rate(b *testing.B, size int64, device string, do func() error) {
	b.SetBytes(size)
	before := processorTime()
	for range b.N {
		b.StopTimer()
		if err := errorsOf(os.RemoveAll(device), os.WriteFile(device, nil, 0o600), os.Truncate(device, size)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		f, err := os.OpenFile(device, os.O_WRONLY, 0)
		if err = errorsOf(err, f.Sync(), f.Close()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((processorTime()-before)/float64(b.N), "cpu-ms/op")
}

// processorTime is that of this process and of all that it has waited for, in ms.
func processorTime() (ms float64) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var usage unix.Rusage
		if unix.Getrusage(who, &usage) == nil {
			ms += float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
		}
	}
	return ms
}
