package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/telemetry"
	"clinker/scheduler/jobs"
	"clinker/scheduler/placement"
	"clinker/scheduler/reconcile"
	"clinker/volumed/rpc"
)

// Nodes gives a client for the storage node at an endpoint; *rpc.Clients is one.
type Nodes = jobs.Nodes

// Options are what a scheduler works with and on. DB, Nodes and Host must be
// set; what else is zero has a default.
type Options struct {
	DB     *db.DB
	Nodes  Nodes
	Placer *placement.Placer // nil: the default filters and weighers

	// Host is the name under which the scheduler appears among the services.
	// Each of several schedulers has its own.
	Host string
	// Zone is the availability zone it appears in; nova unless set.
	Zone string
	// Version is the program's.
	Version string

	// Keys keeps the keys of encrypted volumes; nil for nobody.
	Keys keys.Store
	// ServiceDownTime is how long a node may be silent and still count as up.
	ServiceDownTime time.Duration
	// PollInterval is how old what is known of a node may become; 5 s, or a third of
	// ServiceDownTime where that is less.
	PollInterval time.Duration
	// DeadAfter is how long a scheduler may be silent before its jobs are given
	// to others. If it lives on after all, they run twice, which does no harm.
	DeadAfter time.Duration
	// Quiet is how long a row must be as it is before the reconciler takes it
	// for one that a dead process has left half done.
	Quiet time.Duration
	// StopTimeout is how long a stop waits for jobs before it interrupts them.
	StopTimeout time.Duration
	// MaxWorkers is how many jobs run at once.
	MaxWorkers int
	// Jobs adjusts how long jobs wait; its DB, Nodes, Placer and DownTime are
	// taken from here.
	Jobs jobs.Runner
}

// The defaults of Options.
const (
	defaultServiceDownTime = time.Minute
	defaultPollInterval    = 5 * time.Second
	defaultDeadAfter       = 15 * time.Second
	defaultStopTimeout     = 5 * time.Second
	defaultMaxWorkers      = 64
)

// Scheduler is one scheduler process.
type Scheduler struct {
	options    Options
	reconciler *reconcile.Reconciler
	client     string        // the id of its River client, new with each start
	unheard    chan struct{} // rings when a node was heard of that may need a poll
	answers    sync.Map      // whether a node answered its last poll, by endpoint

	beating, polling telemetry.Trouble // what was last logged of either
}

// New checks the options; it neither connects nor starts anything.
func New(o Options) (*Scheduler, error) {
	if o.DB == nil || o.Nodes == nil || o.Host == "" {
		return nil, fault.New(fault.Invalid, "a scheduler needs a database, a way to call nodes, and a host name")
	}
	if o.Placer == nil {
		placer, err := placement.New(placement.Options{})
		if err != nil {
			return nil, err
		}
		o.Placer = placer
	}
	if o.Zone == "" {
		o.Zone = "nova"
	}
	if o.ServiceDownTime == 0 {
		o.ServiceDownTime = defaultServiceDownTime
	}
	if o.PollInterval == 0 {
		o.PollInterval = min(defaultPollInterval, o.ServiceDownTime/3)
	}
	if o.DeadAfter == 0 {
		o.DeadAfter = defaultDeadAfter
	}
	if o.Quiet == 0 {
		o.Quiet = reconcile.DefaultQuiet
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = defaultStopTimeout
	}
	if o.MaxWorkers == 0 {
		o.MaxWorkers = defaultMaxWorkers
	}
	o.Jobs.DB, o.Jobs.Nodes, o.Jobs.Placer, o.Jobs.DownTime = o.DB, o.Nodes, o.Placer, o.ServiceDownTime
	reconciler := &reconcile.Reconciler{DB: o.DB, Nodes: o.Nodes, DownTime: o.ServiceDownTime, Quiet: o.Quiet, Keys: o.Keys}
	return &Scheduler{options: o, reconciler: reconciler, client: uuid.NewString(), unheard: make(chan struct{}, 1)}, nil
}

// Run works until ctx ends; then it hands its jobs over and returns nil. The
// error is why it could not start; that it was to end before it had, is none. Run
// is called once.
func (s *Scheduler) Run(ctx context.Context) error {
	workers, err := s.begin(ctx)
	if err != nil && ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	slog.InfoContext(ctx, "scheduler started", "host", s.options.Host, "client", s.client)
	var group errgroup.Group
	group.Go(func() error { s.every(ctx, s.beatInterval(), s.beat); return nil })
	group.Go(func() error { s.poll(ctx); return nil })
	group.Go(func() error { s.reconciler.Run(ctx); return nil })
	<-ctx.Done()
	err = s.stopWorkers(ctx, workers)
	return errors.Join(err, group.Wait())
}

// begin shows that this scheduler lives, then begins to work on jobs.
func (s *Scheduler) begin(ctx context.Context) (*workers, error) {
	if err := s.heartbeat(ctx); err != nil {
		return nil, err
	}
	return s.startWorkers(ctx)
}

// Reconciler gives what compares the database with the nodes, for those who
// want a comparison now.
func (s *Scheduler) Reconciler() *reconcile.Reconciler { return s.reconciler }

// RegistryHandler serves storage nodes' announcements at rpc.RegistryPath. The
// TLS configuration of its http.Server must demand and verify client
// certificates; allow says which may call.
func (s *Scheduler) RegistryHandler(allow rpc.PeerCheck) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(rpc.RegistryPath, rpc.RegistryHandler(s, allow))
	return mux
}

// every does a chore at once and then at intervals, until ctx ends.
func (s *Scheduler) every(ctx context.Context, interval time.Duration, chore func(context.Context)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		chore(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
