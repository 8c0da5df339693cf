package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

const (
	// jobTimeout bounds one run of a job; see package jobs.
	jobTimeout = 20 * time.Second
	// fetchInterval is how long a job waits at most when the wake-up for it
	// was lost, or when it snoozes.
	fetchInterval = 500 * time.Millisecond
	// fetchCooldown is how long jobs gather behind a fetch before the next: with
	// many at once, one statement gets several. The first after a while is fetched
	// at once.
	fetchCooldown = 4 * time.Millisecond
	// rescueAfter is River's own net, by age, below ours, by liveness.
	rescueAfter = time.Minute
	// jobRetention is how long what is done stays to be looked at.
	jobRetention = 10 * time.Minute
)

type workers = river.Client[pgx.Tx]

// startWorkers begins to work on jobs.
func (s *Scheduler) startWorkers(ctx context.Context) (*workers, error) {
	runner := s.options.Jobs.WithDefaults()
	client, err := river.NewClient(riverpgxv5.New(s.options.DB.Pool()), &river.Config{
		ID:                          s.client,
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: s.options.MaxWorkers}},
		Workers:                     runner.Workers(),
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchInterval,
		JobTimeout:                  jobTimeout,
		RescueStuckJobsAfter:        rescueAfter,
		CompletedJobRetentionPeriod: jobRetention,
		RetryPolicy:                 retry{},
		ErrorHandler:                panics{},
		Logger:                      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, fmt.Errorf("set up the workers: %w", err)
	}
	// The client outlives ctx: stopWorkers ends it in order.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("start the workers: %w", err)
	}
	return client, nil
}

// stopWorkers lets jobs finish for a little while; those that do not are
// interrupted and handed over.
func (s *Scheduler) stopWorkers(ctx context.Context, client *workers) error {
	ctx = context.WithoutCancel(ctx)
	soft, cancel := context.WithTimeout(ctx, s.options.StopTimeout)
	defer cancel()
	if client.Stop(soft) == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(ctx, defaultStopTimeout)
	defer cancel()
	return client.StopAndCancel(hard)
}

// retry says when a job that failed runs again. What fails is the database or a
// mistake of ours; what nodes do is no failure of a job.
type retry struct{}

// NextRetry implements river.ClientRetryPolicy.
func (retry) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(min(time.Duration(job.Attempt)*time.Second, 5*time.Second))
}

// panics logs what River catches.
type panics struct{}

// HandleError implements river.ErrorHandler; the job has logged it.
func (panics) HandleError(context.Context, *rivertype.JobRow, error) *river.ErrorHandlerResult {
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (panics) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	slog.ErrorContext(ctx, "job panicked, and will run again", "job", job.Kind, "args", string(job.EncodedArgs),
		"panic", value, "stack", trace)
	return nil
}
