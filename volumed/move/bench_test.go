package move

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"clinker/internal/pki"
)

const benchBytes = 1 << 30

// BenchmarkPull brings a volume of 1 GiB of random bytes, none of them zeroes, from
// one file to another over mutual TLS on loopback, both sides on the same
// processors, and has it on the disk; dd does the same without a network. The
// hole is the same file without data. Set
// TMPDIR to choose the disk.
func BenchmarkPull(b *testing.B) {
	r := newRig(b)
	chunk := make([]byte, 16<<20)
	f, err := os.Create(r.source)
	if err != nil {
		b.Fatal(err)
	}
	for range benchBytes / len(chunk) {
		_, _ = rand.Read(chunk)
		if _, err := f.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		b.Fatal(err)
	}
	b.Run("node to node", func(b *testing.B) {
		loan := r.loan()
		loan.Bytes = benchBytes
		if err := r.lender.Lend(loan, free); err != nil {
			b.Fatal(err)
		}
		p := r.puller(pki.Volumed, "node2")
		p.Patience = time.Minute
		rate(b, func(target string) error {
			return p.Pull(b.Context(), r.remote(), target, benchBytes, true, func(int64) {})
		})
	})
	b.Run("dd", func(b *testing.B) {
		rate(b, func(target string) error {
			return exec.CommandContext(b.Context(), "dd", "if="+r.source, "of="+target, "bs=4M", "conv=fsync,notrunc", "status=none").Run()
		})
	})
	b.Run("nothing but a hole", func(b *testing.B) {
		if err := errors.Join(os.Truncate(r.source, 0), os.Truncate(r.source, benchBytes)); err != nil {
			b.Fatal(err)
		}
		p := r.puller(pki.Volumed, "node2")
		loan := r.loan()
		loan.Bytes, loan.Generation = benchBytes, loan.Generation+1
		if err := r.lender.Lend(loan, free); err != nil {
			b.Fatal(err)
		}
		from := r.remote()
		from.Generation = loan.Generation
		rate(b, func(target string) error {
			return p.Pull(b.Context(), from, target, benchBytes, true, func(int64) {})
		})
	})
}

// rate measures a copy into an empty file of that size, which is new each time.
func rate(b *testing.B, copy func(target string) error) {
	b.SetBytes(benchBytes)
	target := filepath.Join(b.TempDir(), "target")
	for b.Loop() {
		_ = os.Remove(target)
		if err := errors.Join(os.WriteFile(target, nil, 0o600), os.Truncate(target, benchBytes)); err != nil {
			b.Fatal(err)
		}
		if err := copy(target); err != nil {
			b.Fatal(err)
		}
	}
}
