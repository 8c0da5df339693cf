package pace

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"clinker/internal/fault"
)

const mib = int64(1) << 20

// What is spent takes its time, whether at once or in pieces.
func TestSpend(t *testing.T) {
	t.Parallel()
	for _, pieces := range []int64{1, 3, 100} {
		synctest.Test(t, func(t *testing.T) {
			ctx, begun := With(t.Context(), New(10*mib).Copy()), time.Now()
			for range pieces {
				if err := Spend(ctx, 100*mib/pieces); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(begun).Round(100 * time.Millisecond); took != 9900*time.Millisecond {
				t.Errorf("100 MiB in %d pieces took %s", pieces, took)
			}
		})
	}
}

// No bound, no wait; and no copy, no bound.
func TestUnbounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		for _, ctx := range []context.Context{t.Context(), With(t.Context(), New(0).Copy())} {
			if err := Spend(ctx, 1<<50); err != nil || time.Since(begun) != 0 || bounded(ctx) {
				t.Errorf("%v after %s", err, time.Since(begun))
			}
		}
		if err := (*Budget)(nil).Spend(t.Context(), 1<<50); err != nil || time.Since(begun) != 0 {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
}

// Whoever copies with many goroutines or in large pieces gets no more.
func TestSharesAreEqual(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget := New(8 * mib)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var got [3]atomic.Int64
		var all sync.WaitGroup
		for i, kind := range []struct {
			goroutines int
			piece      int64
		}{{1, 4 << 10}, {1, 4 * mib}, {8, mib}} {
			mine := With(ctx, budget.Copy())
			for range kind.goroutines {
				all.Go(func() {
					for Spend(mine, kind.piece) == nil {
						got[i].Add(kind.piece)
					}
				})
			}
		}
		all.Wait()
		sum := int64(0)
		for i := range got {
			sum += got[i].Load()
		}
		if sum > 241*mib || sum < 220*mib {
			t.Errorf("%d MiB passed in 30 s", sum/mib)
		}
		for i := range got {
			if share := got[i].Load(); share < sum/3-16*mib || share > sum/3+16*mib {
				t.Errorf("%d got %d of %d MiB", i, share/mib, sum/mib)
			}
		}
	})
}

// Whatever is asked for, never more passes than the budget.
func TestNeverMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.Int64Range(1, 1<<32).Draw(rt, "bytes per second")
		wants := rapid.SliceOfN(rapid.Int64Range(1, 8*mib), 1, 5).Draw(rt, "wants")
		synctest.Test(t, func(t *testing.T) {
			budget, begun := New(limit), time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var passed atomic.Int64
			var all sync.WaitGroup
			for _, want := range wants {
				mine := With(ctx, budget.Copy())
				all.Go(func() {
					for range 20 {
						if Spend(mine, want) == nil {
							passed.Add(want)
						}
					}
				})
			}
			all.Wait()
			if most := float64(limit)*time.Since(begun).Seconds() + float64(limit)/parts + float64(len(wants)*turnBytes) + 1; float64(passed.Load()) > most*1.001 {
				t.Errorf("%d bytes passed of at most %.0f", passed.Load(), most)
			}
		})
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		mine := With(ctx, New(1).Copy())
		time.AfterFunc(5*time.Second, cancel)
		for range 2 {
			if err := Spend(mine, 1000); !fault.Is(err, fault.Timeout) {
				t.Error(err)
			}
		}
	})
}

// A program stands still while it is ahead. What it moved in the end is what was
// paid for, but for what it did after the last look.
func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := exec.CommandContext(ctx, "cat", "/dev/zero")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	ended := make(chan struct{})
	go func() { Program(With(ctx, New(1).Copy()), c.Process.Pid); close(ended) }()
	for stopped(c.Process.Pid) != 'T' {
		if t.Context().Err() != nil {
			t.Fatal("it is not stopped")
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-ended
	if err := c.Wait(); err == nil {
		t.Error("it ended well")
	}
}

// stopped gives a process's state (proc(5)).
func stopped(pid int) byte {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	var number int
	var name string
	var state string
	_, _ = fmt.Sscan(string(text), &number, &name, &state)
	return (state + "?")[0]
}

func TestParseIO(t *testing.T) {
	t.Parallel()
	if got := parseIO([]byte("rchar: 323934931\nwchar: 323929600\nsyscr: 9\n")); got != 323934931 {
		t.Error(got)
	}
	if got := parseIO([]byte("nothing")); got != 0 {
		t.Error(got)
	}
}
