package reconcile

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"clinker/db"
	"clinker/internal/keys"
	"clinker/internal/telemetry"
	"clinker/volumed/rpc"
)

// Nodes gives a client for the storage node at an endpoint; *rpc.Clients is one.
type Nodes interface {
	Node(endpoint string) rpc.Volumed
}

// Reconciler does the chores.
type Reconciler struct {
	DB    *db.DB
	Nodes Nodes
	// Keys has what is due deleted; nil for nobody.
	Keys keys.Store
	// DownTime is how long a node may be silent and still be asked.
	DownTime time.Duration
	// Quiet is how long a row must have been as it is before it counts as left
	// half done by a request that is no more: as long as a call to a node may take.
	Quiet time.Duration

	mu     sync.Mutex
	logged map[string]bool // what has been complained about
}

// DefaultQuiet is what a call to a node may take (rpc). Coming too early costs a request
// its success, no more: the fence refuses the later of the two.
const DefaultQuiet = 30 * time.Second

// chore is one thing to be looked after.
type chore struct {
	name  string
	every time.Duration // at least that long from one begin to the next
	do    func(r *Reconciler, ctx context.Context) error
}

// chores is filled by init functions, one per file, and only read afterwards.
var chores []chore

// most bounds what one round of a chore takes on; the next round goes on.
const most = 500

// Run does each chore and comparison when it is time, until ctx ends.
func (r *Reconciler) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for _, c := range chores {
		running.Go(func() { r.whenDue(ctx, c.name, c.every, func(ctx context.Context) error { return r.once(ctx, c) }) })
	}
	for _, c := range comparisons {
		running.Go(func() { r.compare(ctx, c) })
	}
}

// whenDue looks more often than a chore is due: another scheduler may be gone
// whose turn it would have been.
func (r *Reconciler) whenDue(ctx context.Context, name string, every time.Duration, do func(context.Context) error) {
	ticker := time.NewTicker(every / 2)
	defer ticker.Stop()
	var trouble telemetry.Trouble
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		taken, err := r.DB.TakeChore(ctx, name, every)
		if err == nil && !taken {
			continue
		}
		if err == nil {
			err = do(ctx)
		}
		if ctx.Err() == nil && trouble.Turned(err) {
			logChore(ctx, name, err)
		}
	}
}

func logChore(ctx context.Context, name string, err error) {
	if err != nil {
		slog.WarnContext(ctx, "chore failed", "chore", name, "error", err)
		return
	}
	slog.InfoContext(ctx, "chore is done again", "chore", name)
}

func (r *Reconciler) once(ctx context.Context, c chore) error {
	ctx, cancel := context.WithTimeout(ctx, max(c.every, 20*time.Second))
	defer cancel()
	return c.do(r, ctx)
}

// Sweep does every chore and every comparison once, now.
func (r *Reconciler) Sweep(ctx context.Context) error {
	for _, c := range chores {
		if err := r.once(ctx, c); err != nil {
			return err
		}
	}
	for _, c := range comparisons {
		if _, err := r.round(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// first tells whether something has not been said before by this process.
func (r *Reconciler) first(what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logged == nil || len(r.logged) > 100_000 {
		r.logged = map[string]bool{}
	}
	said := r.logged[what]
	r.logged[what] = true
	return !said
}
