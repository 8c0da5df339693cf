package file

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// BenchmarkLife creates and deletes a volume of 1 GiB, several at once.
func BenchmarkLife(b *testing.B) {
	for _, atOnce := range []int{1, 8} {
		b.Run(fmt.Sprintf("atOnce=%d", atOnce*2), func(b *testing.B) { life(b, atOnce) })
	}
}

func life(b *testing.B, atOnce int) {
	volumes, err := Open(Options{Directory: filepath.Join(b.TempDir(), "volumes")})
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(atOnce)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			name := fmt.Sprintf("volume-%d", n.Add(1))
			if err := volumes.Create(b.Context(), name, 1<<30); err != nil {
				b.Error(err)
			}
			if err := volumes.Delete(b.Context(), name); err != nil {
				b.Error(err)
			}
		}
	})
}
