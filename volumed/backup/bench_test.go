package backup_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"clinker/volumed/backup"
)

const benchBytes = 512 << 20

// kinds of volumes: what cannot be compressed, and text in which every other 4 KiB
// can.
func benchContent(kind string) []byte {
	data := noise(benchBytes, 1)
	if kind == "half" {
		for at := 0; at < len(data); at += 8192 {
			for i := range data[at : at+4096] {
				data[at+i] = "the quick brown fox jumps over the lazy dog "[(at/8192+i)%44]
			}
		}
	}
	return data
}

func benchRig(b *testing.B, kind string) *rig {
	r := newRigOf(b, benchBytes, 0)
	r.write(0, benchContent(kind))
	return r
}

// forget has the kernel read a file from the disk again.
func forget(b *testing.B, path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRates are those of backup and restore, next to dd of the same bytes on
// the same disk.
func BenchmarkRates(b *testing.B) {
	for _, kind := range []string{"random", "half"} {
		r := benchRig(b, kind)
		target := r.volume + "-target"
		run := func(name string, from func() string, do func()) {
			b.Run(kind+"/"+name, func(b *testing.B) {
				b.SetBytes(benchBytes)
				for range b.N {
					b.StopTimer()
					_ = os.Remove(target)
					forget(b, from())
					b.StartTimer()
					do()
				}
			})
		}
		volume := func() string { return r.volume }
		run("dd", volume, func() {
			out, err := exec.Command("dd", "if="+r.volume, "of="+target, "bs=4M", "conv=fsync").CombinedOutput()
			if err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		})
		var made *backup.Manifest
		run("backup", volume, func() {
			if made != nil {
				b.StopTimer()
				r.must(r.store.Remove(context.Background(), made.Place))
				b.StartTimer()
			}
			made = r.backUp(nil)
		})
		run("restore", volume, func() {
			b.StopTimer()
			for _, path := range r.objects(made.Place) {
				forget(b, path)
			}
			r.must(os.WriteFile(target, nil, 0o600))
			r.must(os.Truncate(target, benchBytes))
			b.StartTimer()
			r.must(r.store.Restore(context.Background(), made.Place, backup.Target{Path: target, Bytes: benchBytes, Blank: true, Progress: func(int64) {}}))
		})
		run("incremental", volume, func() {
			m := r.backUp(&made.Place)
			b.StopTimer()
			r.must(r.store.Remove(context.Background(), m.Place))
			b.StartTimer()
		})
	}
}
