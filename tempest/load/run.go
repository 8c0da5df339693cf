package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what to do and for how long.
type Options struct {
	Volumes  int           // how many the lists list
	Workers  []int         // each phase runs with each of these numbers of workers
	Duration time.Duration // of each phase
	Most     int           // volumes that a phase makes at most; 0 for no limit
	Poll     time.Duration // between two looks at a volume that is awaited
	Limit    time.Duration // after which a volume that is awaited is given up
	Phases   []string      // some of Phases; all when empty
	Type     string        // volume type; "" for the default one
	Quota    bool          // first lift the project's quota; takes an administrator

	// Observe is called before each phase and its result when it is over, before
	// anything else happens. It may be nil.
	Observe func(phase string, workers int) (end func(*Result))
}

// Result is what one phase with one number of workers came to.
type Result struct {
	Phase       string   `json:"phase"`
	Workers     int      `json:"workers"`
	Done        int      `json:"done"`
	Errors      int      `json:"errors"`
	Failures    []string `json:"failures,omitempty"` // the first few errors
	Seconds     float64  `json:"seconds"`
	PerSecond   float64  `json:"per_second"`
	Requests    int64    `json:"requests"` // looks included
	AnswerBytes int      `json:"answer_bytes,omitempty"`
	Times
	Steps []Step `json:"steps,omitempty"`
}

// failuresKept bounds how many errors of a phase are told in full.
const failuresKept = 3

// work is what each worker of a phase does again and again, i counting its own
// rounds. done ends the phase for this worker before its time.
type work func(w *worker, i int) (done bool, err error)

// bout runs work on some workers.
type bout struct {
	phase    string
	workers  int
	duration time.Duration
	do       work

	mu     sync.Mutex
	result Result
	taken  Samples
	steps  steps
}

// run lasts until the time is over or ctx ends; each worker does at least one
// round.
func (b *bout) run(ctx context.Context, c *client) Result {
	b.result = Result{Phase: b.phase, Workers: b.workers}
	b.steps = steps{}
	before, begin := c.requests.Load(), time.Now()
	var over atomic.Bool
	timer := time.AfterFunc(b.duration, func() { over.Store(true) })
	defer timer.Stop()
	var all sync.WaitGroup
	for n := range b.workers {
		all.Go(func() {
			w := c.worker(n)
			for i := 0; ctx.Err() == nil; i++ {
				if b.round(w, i) || over.Load() {
					break
				}
			}
			b.collect(w)
		})
	}
	all.Wait()
	b.result.Seconds = time.Since(begin).Seconds()
	b.result.Requests = c.requests.Load() - before
	b.result.Done = len(b.taken)
	b.result.PerSecond = float64(b.result.Done) / b.result.Seconds
	b.result.Times, b.result.Steps = b.taken.Times(), b.steps.results()
	return b.result
}

// round does the work once and keeps its time. A failure is counted, and slows
// the worker down: a server that refuses everything is not to be hammered.
func (b *bout) round(w *worker, i int) (done bool) {
	begin := time.Now()
	done, err := b.do(w, i)
	if err == nil && !done {
		w.taken = append(w.taken, time.Since(begin))
	}
	if err == nil {
		return done
	}
	b.mu.Lock()
	b.result.Errors++
	if len(b.result.Failures) < failuresKept {
		b.result.Failures = append(b.result.Failures, err.Error())
	}
	b.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	return done
}

func (b *bout) collect(w *worker) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = append(b.taken, w.taken...)
	b.steps.merge(w.steps)
	b.result.AnswerBytes = max(b.result.AnswerBytes, w.answerBytes)
}
