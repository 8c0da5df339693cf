package copy

import (
	"crypto/sha512"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkWrite brings a raw image of 512 MiB, which neither compresses nor
// repeats, onto a file, from a server on this machine.
func BenchmarkWrite(b *testing.B) {
	const size = 512 << 20
	dir := b.TempDir()
	source, target := filepath.Join(dir, "image"), filepath.Join(dir, "target")
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	sum := sha512.Sum512(content)
	if err := os.WriteFile(source, content, 0o600); err != nil {
		b.Fatal(err)
	}
	content = nil
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, source) }))
	defer service.Close()
	copier, err := New(Options{Directory: filepath.Join(dir, "conversion")})
	if err != nil {
		b.Fatal(err)
	}
	image := Image{URL: service.URL, DiskFormat: "raw", SizeBytes: size, HashAlgo: "sha512", HashValue: hex.EncodeToString(sum[:])}
	b.SetBytes(size)
	for b.Loop() {
		if err := errorsOf(os.RemoveAll(target), os.WriteFile(target, nil, 0o600), os.Truncate(target, size)); err != nil {
			b.Fatal(err)
		}
		if err := copier.Write(b.Context(), image, Target{Path: target, Bytes: size, Blank: true}, func(int64) {}); err != nil {
			b.Fatal(err)
		}
		file, err := os.Open(target)
		if err != nil {
			b.Fatal(err)
		}
		if err := errorsOf(file.Sync(), file.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
