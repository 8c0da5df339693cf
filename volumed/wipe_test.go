package volumed

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"clinker/internal/fault"
	"clinker/internal/pki"
	"clinker/volumed/backend"
	"clinker/volumed/rpc"
)

// heap is a backend that has nothing but trash.
type heap struct {
	backend.Backend
	mu    sync.Mutex
	trash []backend.Entry
	sick  string
	wiped []string
}

func (h *heap) Trash(context.Context) ([]backend.Entry, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.trash), nil
}

func (h *heap) done() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.wiped)
}

func (h *heap) Purge(ctx context.Context, name string, spend func(context.Context, int) error) error {
	h.mu.Lock()
	sick := name == h.sick
	h.mu.Unlock()
	if sick {
		return errors.New("held open")
	}
	if err := spend(ctx, 10<<20); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wiped = append(h.wiped, name)
	h.trash = slices.DeleteFunc(h.trash, func(e backend.Entry) bool { return e.Name == name })
	return nil
}

func TestTrashIsWipedWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heap{trash: []backend.Entry{{Name: "a"}, {Name: "sick"}, {Name: "b"}}, sick: "sick"}
		p := &pool{Pool: Pool{Storage: h, WipeBytesPerSecond: 4 << 20}, wipe: make(chan struct{}, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := &Server{options: Options{}.withDefaults()}
		go s.wipe(ctx, poolName, p)
		time.Sleep(5 * time.Second) // 20 MiB
		synctest.Wait()
		if !slices.Equal(h.done(), []string{"a", "b"}) {
			t.Errorf("after 5 s: %v", h.done())
		}
		h.mu.Lock()
		h.trash = append(h.trash, backend.Entry{Name: "c"})
		h.mu.Unlock()
		ring(p.wipe)
		time.Sleep(time.Second)
		synctest.Wait()
		if len(h.done()) != 2 {
			t.Error("the budget is exceeded")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(h.done()) != 3 {
			t.Error("a bell is not heard")
		}
		h.mu.Lock()
		h.sick = ""
		h.mu.Unlock()
		time.Sleep(s.options.WipeInterval + 10*time.Second)
		if !slices.Equal(h.done(), []string{"a", "b", "c", "sick"}) {
			t.Errorf("in the end: %v", h.done())
		}
	})
}

func TestAStopEndsAWipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heap{trash: []backend.Entry{{Name: "a"}}}
		p := &pool{Pool: Pool{Storage: h, WipeBytesPerSecond: 1}, wipe: make(chan struct{}, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		s := &Server{options: Options{}.withDefaults()}
		ended := make(chan struct{})
		go func() { s.wipe(ctx, poolName, p); close(ended) }()
		synctest.Wait()
		cancel()
		<-ended
	})
}

// door is a scheduler that hears nobody until it is opened.
type door struct {
	open    atomic.Bool
	refused chan struct{}
}

func (d *door) Announce(context.Context, rpc.Node) error {
	if d.open.Load() {
		return nil
	}
	select {
	case d.refused <- struct{}{}:
	default:
	}
	return fault.New(fault.Conflict, "another storage node goes by the host name")
}

// A node that no scheduler hears, because another one of its name is up, wipes nothing:
// it may be what that one is making.
func TestNothingIsWipedBeforeASchedulerHears(t *testing.T) {
	t.Parallel()
	c, r := newCloud(t), newRig(t)
	h := &heap{trash: []backend.Entry{{Name: "a"}}}
	d := &door{refused: make(chan struct{})}
	r.options.Clients = c.clients(pki.Volumed)
	r.options.Schedulers = []string{c.scheduler(d)}
	r.options.ReportInterval = 10 * time.Millisecond
	r.stop()
	r.startOn(h, r.target)
	_, stop := r.run(c)
	for range 3 {
		<-d.refused
	}
	if wiped := h.done(); len(wiped) != 0 {
		t.Errorf("wiped %v", wiped)
	}
	d.open.Store(true)
	for limit := time.Now().Add(time.Minute); len(h.done()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("nothing is wiped when the node was heard")
		}
	}
	r.must(stop())
}
