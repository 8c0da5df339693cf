package diskio

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Options of a Sampler; what is zero has its default.
type Options struct {
	Root     string        // where proc and sys are found; "/"
	Interval time.Duration // between two readings; 5 s
	Window   time.Duration // that the figures cover; 1 min
}

// Sampler reads the counters regularly and remembers a window of them.
type Sampler struct {
	options Options

	mu      sync.Mutex
	samples []sample            // oldest first
	asked   map[string]struct{} // disks that Read was asked for
	failed  bool                // the last reading failed: say so once
}

// sample is one reading of all disks.
type sample struct {
	at    time.Time
	disks map[string]counters
}

// New makes a Sampler that has not begun.
func New(o Options) *Sampler {
	o.Root = cmp.Or(o.Root, "/")
	o.Interval = cmp.Or(o.Interval, 5*time.Second)
	o.Window = cmp.Or(o.Window, time.Minute)
	return &Sampler{options: o, asked: map[string]struct{}{}}
}

// Start takes the first reading and goes on in the background until ctx ends.
func (s *Sampler) Start(ctx context.Context) {
	s.take(ctx)
	go func() {
		ticker := time.NewTicker(s.options.Interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				s.take(ctx)
			}
		}
	}()
}

// Read gives the figures of a set of disks, by kernel names (sda, nvme0n1p2,
// dm-3), over the window. Names that the kernel does not know count for nothing.
//
// No names at all means that the pool's disks are not known (a file system
// without a device): then all the node's physical disks are taken together,
// which is right where there is one and fair where there are many.
//
// It never blocks on a disk and may be called by many goroutines. Over is 0
// until two readings have been taken.
func (s *Sampler) Read(disks []string) IO {
	if len(disks) == 0 {
		disks = s.physical()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var sums []sum
	for _, disk := range slices.Compact(slices.Sorted(slices.Values(disks))) {
		s.asked[disk] = struct{}{}
		sums = append(sums, s.sumOf(disk))
	}
	return total(sums)
}

// sumOf adds up the intervals of the window in which the disk was there.
func (s *Sampler) sumOf(disk string) sum {
	var all sum
	for i := 1; i < len(s.samples); i++ {
		before, after := s.samples[i-1], s.samples[i]
		earlier, was := before.disks[disk]
		later, is := after.disks[disk]
		if !was || !is {
			continue
		}
		if added, ok := later.since(earlier); ok {
			all.add(added, after.at.Sub(before.at))
		}
	}
	return all
}

// take adds one reading and forgets those that have left the window.
func (s *Sampler) take(ctx context.Context) {
	s.mu.Lock()
	asked := slices.Collect(maps.Keys(s.asked))
	s.mu.Unlock()
	disks, err := s.counters(asked)
	now := time.Now()

	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if !s.failed {
			slog.WarnContext(ctx, "disk I/O cannot be measured", "error", err)
		}
		s.failed = true
		return
	}
	s.failed = false
	s.samples = append(s.samples, sample{at: now, disks: disks})
	s.forget(now)
}

// forget drops samples that begin no interval of the window any more. The
// sample just outside is kept: it begins the window's first interval.
func (s *Sampler) forget(now time.Time) {
	begin := now.Add(-s.options.Window)
	first := 0
	for first+1 < len(s.samples) && !s.samples[first+1].at.After(begin) {
		first++
	}
	s.samples = slices.Delete(s.samples, 0, first)
}

// counters reads all disks, and those asked for that the list does not show.
func (s *Sampler) counters(asked []string) (map[string]counters, error) {
	text, err := os.ReadFile(filepath.Join(s.options.Root, "proc/diskstats"))
	if err != nil {
		return nil, err
	}
	disks := parseDiskstats(string(text))
	for _, disk := range asked {
		if _, listed := disks[disk]; listed {
			continue
		}
		own, err := os.ReadFile(s.sysfs(disk, "stat"))
		if err != nil {
			continue // gone: it counts for nothing
		}
		if c, err := parseStat(string(own)); err == nil {
			disks[disk] = c
		}
	}
	return disks, nil
}

// physical names the whole disks that have hardware behind them: those with a
// device in sysfs. Loop, RAM, dm and md devices have none.
func (s *Sampler) physical() []string {
	entries, err := os.ReadDir(filepath.Join(s.options.Root, "sys/block"))
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if _, err := os.Stat(filepath.Join(s.options.Root, "sys/block", entry.Name(), "device")); err == nil {
			names = append(names, entry.Name())
		}
	}
	return names
}

// sysfs is a file of a disk or partition. Base keeps a strange name inside the folder.
func (s *Sampler) sysfs(disk, file string) string {
	return filepath.Join(s.options.Root, "sys/class/block", filepath.Base(disk), file)
}
