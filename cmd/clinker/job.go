package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"clinker/db"
	"clinker/internal/conf"
	"clinker/internal/fault"
	"clinker/scheduler/jobs"
)

// jobCommand is for administrators: what the schedulers are at. It works on the
// database; what it asks for is done by whichever scheduler has the job.
type jobCommand struct {
	List   jobList   `cmd:"" help:"List the jobs under way."`
	Show   jobShow   `cmd:"" help:"Show one job with all that is known of it."`
	Cancel jobCancel `cmd:"" help:"End jobs before their time: the node stops, and what they are about gets its right status."`
	Retry  jobRetry  `cmd:"" help:"Begin jobs anew that have failed."`
}

// refresh is the time between two looks at jobs that are followed.
const refresh = 500 * time.Millisecond

type jobList struct {
	State    []string `placeholder:"STATE" enum:"waiting,running,retrying,cancelling,done,failed,cancelled" help:"Only those in one of these states: ${enum}."`
	Kind     []string `placeholder:"KIND" help:"Only those of one of these kinds: volume_create, …"`
	Resource string   `placeholder:"ID" help:"Only those about this volume, snapshot, backup or group."`
	All      bool     `short:"a" help:"Also those that have ended, as long as they are kept."`
	Limit    int      `default:"100" help:"At most so many, the newest."`
	JSON     bool     `name:"json" help:"Print JSON."`
	Follow   bool     `short:"f" help:"Show how they go on, until each has ended: bars on a terminal, else a line for each change."`
}

func (l jobList) filter() db.JobFilter {
	return db.JobFilter{States: l.State, Kinds: l.Kind, Resource: l.Resource, All: l.All, Limit: l.Limit}
}

// Run is kong's.
func (l jobList) Run(ctx context.Context, c *commands) error {
	return withDatabase(ctx, c, func(d *db.DB, _ *conf.Config) error {
		found, err := d.Jobs(ctx, l.filter())
		switch {
		case err != nil:
			return err
		case l.Follow:
			return follow(ctx, d, found, newFollower(ctx, l.JSON))
		case l.JSON:
			return printJSON(found)
		}
		return printJobs(os.Stdout, found, time.Now())
	})
}

type jobShow struct {
	ID     int64 `arg:"" help:"The job's number, as list tells it."`
	JSON   bool  `name:"json" help:"Print JSON."`
	Follow bool  `short:"f" help:"Show how it goes on until it has ended; the exit status tells whether it ended well."`
}

// Run is kong's.
func (s jobShow) Run(ctx context.Context, c *commands) error {
	return withDatabase(ctx, c, func(d *db.DB, _ *conf.Config) error {
		job, err := d.Job(ctx, s.ID)
		if err != nil {
			return err
		}
		if s.Follow {
			if err := follow(ctx, d, []db.Job{job}, newFollower(ctx, s.JSON)); err != nil {
				return err
			}
			return endedWell(ctx, d, s.ID)
		}
		status, err := d.StatusOf(ctx, job)
		if err != nil {
			return err
		}
		if s.JSON {
			return printJSON(struct {
				db.Job
				ResourceStatus string `json:"resource_status,omitempty"`
			}{job, status})
		}
		return printJob(os.Stdout, job, status)
	})
}

// endedWell gives an error for a job that did not.
func endedWell(ctx context.Context, d *db.DB, id int64) error {
	job, err := d.Job(ctx, id)
	if err != nil || job.State == db.JobDone {
		return err
	}
	return fault.New(fault.Conflict, "the job %d is %s: %s", id, job.State, reasonOf(job))
}

type jobCancel struct {
	ID     []int64 `arg:"" help:"The jobs' numbers."`
	NoWait bool    `help:"Do not wait until they have ended."`
}

// Run is kong's.
func (j jobCancel) Run(ctx context.Context, c *commands) error {
	return withDatabase(ctx, c, func(d *db.DB, _ *conf.Config) error {
		for _, id := range j.ID {
			if err := jobs.Cancel(ctx, d, id); err != nil {
				return err
			}
			if j.NoWait {
				continue
			}
			job, err := awaitEnd(ctx, d, id)
			if err != nil {
				return err
			}
			status, err := d.StatusOf(ctx, job)
			if err != nil {
				return err
			}
			fmt.Println(ending(job, status))
		}
		return nil
	})
}

// ending says how a job that was to be cancelled has ended.
func ending(job db.Job, status string) string {
	text := fmt.Sprintf("job %d is %s", job.ID, job.State)
	if job.State == db.JobDone {
		text = fmt.Sprintf("job %d was done before it could be cancelled", job.ID)
	}
	if status == "" {
		return text + fmt.Sprintf("; the %s %s is gone", job.Resource, job.ResourceID)
	}
	return text + fmt.Sprintf("; the %s %s is in status %s", job.Resource, job.ResourceID, status)
}

// awaitEnd waits until a job has ended, or ctx has.
func awaitEnd(ctx context.Context, d *db.DB, id int64) (db.Job, error) {
	tick := time.NewTicker(refresh / 5)
	defer tick.Stop()
	for {
		job, err := d.Job(ctx, id)
		if err != nil || job.Ended() {
			return job, err
		}
		select {
		case <-ctx.Done():
			return job, ctx.Err()
		case <-tick.C:
		}
	}
}

type jobRetry struct {
	ID []int64 `arg:"" help:"The jobs' numbers."`
}

// Run is kong's.
func (j jobRetry) Run(ctx context.Context, c *commands) error {
	return withDatabase(ctx, c, func(d *db.DB, _ *conf.Config) error {
		for _, id := range j.ID {
			if err := jobs.Retry(ctx, d, id); err != nil {
				return err
			}
			fmt.Printf("job %d is begun anew\n", id)
		}
		return nil
	})
}

func printJSON(what any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(what)
}
