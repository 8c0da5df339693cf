package diskio

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// node is a fake /proc and /sys.
type node struct {
	t     *testing.T
	root  string
	disks map[string][]uint64 // the first 11 fields of iostats.rst
}

func newNode(t *testing.T, disks ...string) *node {
	n := &node{t: t, root: t.TempDir(), disks: map[string][]uint64{}}
	for _, disk := range disks {
		n.disks[disk] = make([]uint64, 11)
	}
	n.write()
	return n
}

func (n *node) file(path, text string) {
	n.t.Helper()
	path = filepath.Join(n.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) write() {
	var text strings.Builder
	for disk, fields := range n.disks {
		fmt.Fprintf(&text, "8 0 %s %s\n", disk, strings.Trim(fmt.Sprint(fields), "[]"))
	}
	n.file("proc/diskstats", text.String())
}

// work lets a disk write: operations of 8 sectors, waiting and busy for so long.
func (n *node) work(disk string, operations, waitMS, busyMS uint64) {
	f := n.disks[disk]
	f[4] += operations
	f[6] += 8 * operations
	f[7] = uint64(uint32(f[7] + waitMS))
	f[9] = uint64(uint32(f[9] + busyMS))
	n.write()
}

// inBubble starts a sampler in a synctest bubble and stops it afterwards.
func inBubble(t *testing.T, n *node, f func(*testing.T, *Sampler)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := New(Options{Root: n.root})
		s.Start(ctx)
		time.Sleep(time.Millisecond) // so that readings fall between the steps of a test
		f(t, s)
	})
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6*max(1, math.Abs(b)) }

func TestRatesOverTheWindow(t *testing.T) {
	t.Parallel()
	n := newNode(t, "sda")
	inBubble(t, n, func(t *testing.T, s *Sampler) {
		if got := s.Read([]string{"sda"}); got != (IO{}) {
			t.Errorf("one reading: %+v", got)
		}
		for range 6 { // half a minute of work
			n.work("sda", 500, 1000, 2500)
			time.Sleep(5 * time.Second)
		}
		got := s.Read([]string{"sda"})
		want := IO{BusyShare: 0.5, OperationsPerSecond: 100, BytesPerSecond: 100 * 8 * 512, MeanWaitMS: 2, Over: 30 * time.Second}
		if got != want {
			t.Errorf("after 30 s of work: %+v", got)
		}
		time.Sleep(30 * time.Second)
		if got := s.Read([]string{"sda"}); got.Over != time.Minute || !near(got.OperationsPerSecond, 50) || !near(got.MeanWaitMS, 2) {
			t.Errorf("after 30 s of rest: %+v", got)
		}
		time.Sleep(30 * time.Second)
		if got := s.Read([]string{"sda"}); got != (IO{Over: time.Minute}) {
			t.Errorf("a minute after the work: %+v", got)
		}
	})
}

func TestSetOfDisks(t *testing.T) {
	t.Parallel()
	n := newNode(t, "sda", "sdb", "dm-0")
	inBubble(t, n, func(t *testing.T, s *Sampler) {
		n.work("sda", 300, 300, 5000)
		n.work("sdb", 100, 1700, 0)
		n.work("dm-0", 9999, 9999, 5000)
		time.Sleep(5 * time.Second)
		got := s.Read([]string{"sdb", "sda", "sda", "gone"})
		want := IO{BusyShare: 0.5, OperationsPerSecond: 80, BytesPerSecond: 80 * 8 * 512, MeanWaitMS: 5, Over: 5 * time.Second}
		if got != want {
			t.Errorf("got %+v", got)
		}
	})
}

func TestUnknownDisksMeanThePhysicalOnes(t *testing.T) {
	t.Parallel()
	n := newNode(t, "vda", "dm-0", "loop0")
	n.file("sys/block/vda/device/vendor", "")
	n.file("sys/block/dm-0/dm/name", "")
	n.file("sys/block/loop0/size", "")
	inBubble(t, n, func(t *testing.T, s *Sampler) {
		n.work("vda", 10, 10, 100)
		n.work("dm-0", 1000, 10, 100)
		time.Sleep(5 * time.Second)
		if got := s.Read(nil); got.OperationsPerSecond != 2 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestCountersWrapAndBeginAnew(t *testing.T) {
	t.Parallel()
	n := newNode(t, "sda", "dm-1")
	n.work("sda", 0, math.MaxUint32-10, math.MaxUint32-10)
	n.work("dm-1", 1_000_000, 5, 5)
	inBubble(t, n, func(t *testing.T, s *Sampler) {
		n.work("sda", 10, 20, 1000) // both times wrap
		n.disks["dm-1"] = make([]uint64, 11)
		n.work("dm-1", 50, 5, 5) // taken away and made anew
		time.Sleep(5 * time.Second)
		if got := s.Read([]string{"sda"}); !near(got.MeanWaitMS, 2) || !near(got.BusyShare, 0.2) {
			t.Errorf("wrapped: %+v", got)
		}
		if got := s.Read([]string{"dm-1"}); got != (IO{}) {
			t.Errorf("began anew: %+v", got)
		}
		n.work("dm-1", 50, 5, 5)
		time.Sleep(5 * time.Second)
		if got := s.Read([]string{"dm-1"}); !near(got.OperationsPerSecond, 10) {
			t.Errorf("one interval later: %+v", got)
		}
	})
}

func TestDisksComeAndGo(t *testing.T) {
	t.Parallel()
	n := newNode(t, "sda")
	inBubble(t, n, func(t *testing.T, s *Sampler) {
		n.disks["sdb"] = make([]uint64, 11)
		n.write()
		time.Sleep(5 * time.Second)
		n.work("sdb", 100, 100, 100)
		time.Sleep(5 * time.Second)
		if got := s.Read([]string{"sda", "sdb"}); !near(got.OperationsPerSecond, 20) || got.Over != 10*time.Second {
			t.Errorf("came: %+v", got)
		}
		delete(n.disks, "sdb")
		n.write()
		time.Sleep(2 * time.Minute)
		if got := s.Read([]string{"sdb"}); got != (IO{}) {
			t.Errorf("went: %+v", got)
		}
	})
}

func TestDevicesOwnCounters(t *testing.T) {
	t.Parallel()
	n := newNode(t, "nvme0n1")
	n.file("sys/class/block/nvme0c0n1/stat", "0 0 0 0 0 0 0 0 0 0 0\n")
	inBubble(t, n, func(t *testing.T, s *Sampler) {
		s.Read([]string{"nvme0c0n1"}) // from now on it is read
		time.Sleep(5 * time.Second)
		n.file("sys/class/block/nvme0c0n1/stat", "10 0 80 30 0 0 0 0 0 500 30 0 0 0 0 0 0\n")
		time.Sleep(5 * time.Second)
		if got := s.Read([]string{"nvme0c0n1"}); !near(got.OperationsPerSecond, 2) || !near(got.MeanWaitMS, 3) {
			t.Errorf("got %+v", got)
		}
	})
}

// An interval without a reading is made up for by the next: counters lose nothing.
func TestReadingFails(t *testing.T) {
	t.Parallel()
	n := newNode(t, "sda")
	inBubble(t, n, func(t *testing.T, s *Sampler) {
		if err := os.Remove(filepath.Join(n.root, "proc/diskstats")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := s.Read([]string{"sda"}); got != (IO{}) {
			t.Errorf("without the file: %+v", got)
		}
		n.work("sda", 150, 0, 0)
		time.Sleep(5 * time.Second)
		if got := s.Read([]string{"sda"}); !near(got.OperationsPerSecond, 10) || got.Over != 15*time.Second {
			t.Errorf("afterwards: %+v", got)
		}
	})
}

// The real kernel's files must be understood, whatever is in them.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}).counters(nil); err != nil {
		t.Fatal(err)
	}
}
