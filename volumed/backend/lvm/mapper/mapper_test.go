package mapper

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want string }{
		{Name("vg0", "volume-1"), "vg0-volume--1"},
		{Name("a-b", "_snapshot-1", "cow"), "a--b-_snapshot--1-cow"},
		{Name("vg0", "pool", "tpool"), "vg0-pool-tpool"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

// spec builds what the kernel answers for one target.
func spec(start, length uint64, next uint32, kind, status string) []byte {
	b := make([]byte, 40+(len(status)+8)/8*8)
	binary.NativeEndian.PutUint64(b, start)
	binary.NativeEndian.PutUint64(b[8:], length)
	binary.NativeEndian.PutUint32(b[20:], next)
	copy(b[24:], kind)
	copy(b[40:], status)
	return b
}

func TestParse(t *testing.T) {
	t.Parallel()
	first := spec(0, 8, 0, "linear", "")
	binary.NativeEndian.PutUint32(first[20:], uint32(len(first)))
	answer := append(first, spec(8, 16, 0, "snapshot", "16/40960 16")...)
	got := Device{Targets: parse(answer, 2)}
	want := []Target{
		{Start: 0, Length: 4096, Type: "linear"},
		{Start: 4096, Length: 8192, Type: "snapshot", Status: "16/40960 16"},
	}
	if diff := cmp.Diff(want, got.Targets); diff != "" {
		t.Error(diff)
	}
	if got.Bytes() != 12288 {
		t.Errorf("the device has %d bytes, want 12288", got.Bytes())
	}
}

func FuzzParse(f *testing.F) {
	f.Add(spec(0, 8, 0, "linear", ""), 1)
	f.Add(spec(0, 8, 48, "thin", "0 -"), 9)
	f.Fuzz(func(t *testing.T, answer []byte, count int) {
		if targets := parse(answer, count); len(targets) > len(answer)/40 {
			t.Errorf("%d targets in %d bytes", len(targets), len(answer))
		}
	})
}
