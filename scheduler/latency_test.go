package scheduler_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/db"
	"clinker/scheduler/nodetest"
)

// BenchmarkCreate is from the API's transaction until the volume is available,
// at a node that takes no time: one at a time, and sixteen at once.
func BenchmarkCreate(b *testing.B) {
	for _, atOnce := range []int{1, 16} {
		b.Run(fmt.Sprint(atOnce), func(b *testing.B) { benchmarkCreate(b, atOnce) })
	}
}

func benchmarkCreate(b *testing.B, atOnce int) {
	node := nodetest.New("a").WithPool("lvm", "vg", 1<<60)
	r := newRig(b, node)
	var asked sync.Map // when the node was asked for a volume, by its id
	node.Watch(func(method, id string) {
		if method == "create" {
			asked.LoadOrStore(id, time.Now())
		}
	})
	r.start()
	own, database := ownCPU(b), databaseCPU(b, r)
	var mu sync.Mutex
	var took, woke []time.Duration
	all := &waiters{pending: map[string]chan struct{}{}}
	go all.poll(b.Context(), r)
	work := make(chan struct{})
	var clients sync.WaitGroup
	b.ResetTimer()
	for range atOnce {
		clients.Go(func() {
			for range work {
				begun := time.Now()
				v, err := r.tryRequest(b.Context(), 1, nil)
				if err != nil {
					b.Error(err)
					continue
				}
				committed := time.Now()
				all.await(v)
				at, _ := asked.Load(v.ID)
				mu.Lock()
				woke = append(woke, at.(time.Time).Sub(committed))
				took = append(took, time.Since(begun))
				mu.Unlock()
			}
		})
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	clients.Wait()
	b.StopTimer()
	slices.Sort(took)
	slices.Sort(woke)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(woke[len(woke)/2].Microseconds())/1000, "ms-to-node-p50")
	b.ReportMetric(float64((ownCPU(b)-own).Microseconds())/1000/float64(b.N), "own-cpu-ms/create")
	b.ReportMetric(float64((databaseCPU(b, r)-database).Microseconds())/1000/float64(b.N), "db-cpu-ms/create")
}

// waiters tells those who wait that their volume is available; one poll serves
// all of them, so that what is measured is not the polling.
type waiters struct {
	mu      sync.Mutex
	pending map[string]chan struct{}
}

func (w *waiters) await(v db.Volume) {
	ready := make(chan struct{})
	w.mu.Lock()
	w.pending[v.ID] = ready
	w.mu.Unlock()
	<-ready
}

func (w *waiters) poll(ctx context.Context, r *rig) {
	for tick := time.NewTicker(2 * time.Millisecond); ctx.Err() == nil; <-tick.C {
		w.mu.Lock()
		ids := slices.Collect(maps.Keys(w.pending))
		w.mu.Unlock()
		if len(ids) == 0 {
			continue
		}
		rows, err := r.db.Pool().Query(ctx, "SELECT id FROM volumes WHERE id = ANY($1::uuid[]) AND status = 'available'", ids)
		if err != nil {
			return
		}
		ready, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return
		}
		w.mu.Lock()
		for _, id := range ready {
			close(w.pending[id])
			delete(w.pending, id)
		}
		w.mu.Unlock()
	}
}
