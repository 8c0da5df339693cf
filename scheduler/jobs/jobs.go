package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/keys"
	"clinker/scheduler/placement"
	"clinker/volumed/rpc"
)

// Nodes gives a client for the storage node at an endpoint; *rpc.Clients is one.
type Nodes interface {
	Node(endpoint string) rpc.Volumed
}

// Runner is what all jobs work with; WithDefaults makes it ready.
type Runner struct {
	DB     *db.DB
	Nodes  Nodes
	Placer *placement.Placer
	// Limits are the quotas of projects that have none of their own, for what
	// tells its size only when a job looks at it; nil for none.
	Limits db.Limits

	// Images are what new volumes may be made of; nil for none.
	Images Images
	// Keys keeps the keys of encrypted volumes; nil for nobody.
	Keys keys.Store
	// InternalProject and InternalUser have the hidden volumes that keep images;
	// cinder-internal when they are "".
	InternalProject, InternalUser string
	// VerifySignatures refuses images that are signed.
	VerifySignatures bool
	// ImageTries is how often an image is fetched whose bytes cannot be had.
	ImageTries int
	// Compute is told what has happened to volumes of servers; nil for nobody.
	Compute Compute

	// DownTime is how long a node may be silent and still be placed upon.
	DownTime time.Duration
	// FirstWait is how long a job waits for an operation before it looks away.
	FirstWait time.Duration
	// Pause is how long it looks away.
	Pause time.Duration
	// PlacePatience is how long a new volume waits for a node that does not
	// answer before it goes to another pool.
	PlacePatience time.Duration
	// Patience is the same for a volume that cannot go elsewhere.
	Patience time.Duration
	// Grace is how long a new volume waits for nodes that are not up, counted
	// from its request or from this scheduler's start: after a power cut a node
	// may be seconds behind the request that needs it.
	Grace time.Duration
	// MessageTTL is how long users' messages are kept; 0 for Cinder's 30 days.
	MessageTTL time.Duration
	// SwapSilence is how long Nova may take to begin moving a volume in use before
	// it is asked again.
	SwapSilence time.Duration
	// BusyTries is how often a device that is held open is tried again.
	BusyTries int

	pools   *poolCache
	started time.Time
}

// The defaults; together they let everything rest within a minute.
const (
	DefaultFirstWait     = 4 * time.Second
	DefaultPause         = time.Second
	DefaultPlacePatience = 20 * time.Second
	DefaultPatience      = 30 * time.Second
	DefaultGrace         = 10 * time.Second
	DefaultBusyTries     = 6
	DefaultImageTries    = 4 // Cinder's glance_num_retries, and once before
)

// LongestPause is more than a job looks away; one that starts sooner does no harm.
const LongestPause = time.Minute

// WithDefaults gives a Runner that can work, with what is zero filled in.
func (r Runner) WithDefaults() *Runner {
	for _, d := range []struct{ value, standard *time.Duration }{
		{&r.FirstWait, ptr(DefaultFirstWait)}, {&r.Pause, ptr(DefaultPause)},
		{&r.PlacePatience, ptr(DefaultPlacePatience)}, {&r.Patience, ptr(DefaultPatience)},
		{&r.Grace, ptr(DefaultGrace)}, {&r.SwapSilence, ptr(swapSilence)},
	} {
		if *d.value == 0 {
			*d.value = *d.standard
		}
	}
	if r.ImageTries == 0 {
		r.ImageTries = DefaultImageTries
	}
	if r.BusyTries == 0 {
		r.BusyTries = DefaultBusyTries
	}
	r.pools, r.started = &poolCache{db: r.DB}, time.Now()
	return &r
}

// kind is one kind of job.
type kind struct {
	Control
	add func(*river.Workers, *Runner)
}

// kinds are all, by River's names of them, each registered by its own file.
var kinds = map[string]kind{}

// register adds a kind of job: what does the work, and what an administrator can do
// with such jobs. It is called by init functions only.
func register[T river.JobArgs](do func(*Runner, context.Context, *river.Job[T]) error, c Control) {
	var args T
	kinds[args.Kind()] = kind{c, func(workers *river.Workers, r *Runner) {
		river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[T]) error { return do(r, ctx, job) }))
	}}
}

// Workers gives River every kind of job.
func (r *Runner) Workers() *river.Workers {
	workers := river.NewWorkers()
	for _, k := range kinds {
		k.add(workers, r)
	}
	return workers
}

func ptr[T any](v T) *T { return &v }

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
