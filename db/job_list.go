package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// The keys of a job's metadata: what its runs tell each other, and that an
// administrator wants it ended.
const (
	JobNotes  = "clinker"
	JobCancel = "clinker_cancel"
)

// JobRequest is what an administrator asks of a job.
type JobRequest struct {
	At time.Time `json:"at"`
}

// The states of a job, in words for people: River tells a job that looks away
// from one that has not begun by nothing but its count of snoozes.
const (
	JobWaiting    = "waiting"    // for a worker
	JobRunning    = "running"    // or looking away while a node is at it
	JobRetrying   = "retrying"   // it met an error of ours, and runs again soon
	JobCancelling = "cancelling" // it was asked to end
	JobDone       = "done"
	JobFailed     = "failed" // its Failure says why
	JobCancelled  = "cancelled"
)

// Job is a job as administrators see it.
type Job struct {
	ID          int64           `json:"id"`
	Kind        string          `json:"kind"`
	State       string          `json:"state"`
	Resource    string          `json:"resource"` // volume, snapshot, …
	ResourceID  string          `json:"resource_id"`
	RequestID   string          `json:"request_id,omitempty"`
	BytesDone   int64           `json:"bytes_done"`
	BytesTotal  int64           `json:"bytes_total"` // 0: it copies nothing, or has not begun to
	Failure     string          `json:"failure,omitempty"`
	Looks       int             `json:"looks"`    // how often it was worked on and left again
	Attempts    int             `json:"attempts"` // of them, those that met an error of ours
	Worker      string          `json:"worker,omitempty"`
	CancelAsked *time.Time      `json:"cancel_asked_at,omitempty"`
	CreatedAt   time.Time       `json:"created_at"`
	WorkedAt    *time.Time      `json:"worked_at,omitempty"` // last
	EndedAt     *time.Time      `json:"ended_at,omitempty"`
	Args        json.RawMessage `json:"args"`
	Notes       json.RawMessage `json:"notes,omitempty"`
	Errors      []JobError      `json:"errors,omitempty"`
}

// JobError is an error of one attempt.
type JobError struct {
	At      time.Time `json:"at"`
	Attempt int       `json:"attempt"`
	Error   string    `json:"error"`
}

// Ended tells whether nobody will work on the job any more.
func (j Job) Ended() bool { return j.EndedAt != nil }

// JobFilter says which jobs to list; what is empty does not matter.
type JobFilter struct {
	States   []string // JobWaiting and so on
	Kinds    []string
	Resource string // an id
	All      bool   // those that have ended too
	Limit    int    // the newest so many
}

const jobStateSQL = `CASE WHEN j.state IN ('cancelled', 'discarded') THEN
		CASE WHEN j.metadata->'` + JobNotes + `'->>'cancelled' = 'true' THEN '` + JobCancelled + `' ELSE '` + JobFailed + `' END
	WHEN j.state = 'completed' THEN '` + JobDone + `'
	WHEN j.metadata ? '` + JobCancel + `' THEN '` + JobCancelling + `'
	WHEN j.state = 'retryable' THEN '` + JobRetrying + `'
	WHEN j.state = 'running' OR j.attempt > 0 OR j.metadata ? 'snoozes' THEN '` + JobRunning + `'
	ELSE '` + JobWaiting + `' END`

const jobSQL = `SELECT j.id, j.kind, ` + jobStateSQL + ` AS word, j.args, j.metadata, j.attempt, j.created_at, j.attempted_at, j.finalized_at,
		COALESCE(to_jsonb(j.errors), '[]'),
		COALESCE((SELECT s.host FROM services s WHERE s.daemon = '` + DaemonScheduler + `'
			AND s.node_uuid::text = j.attempted_by[array_upper(j.attempted_by, 1)]), '')
	FROM river_job j`

// Jobs lists jobs, the newest first. How long those that have ended are kept is
// the schedulers' choice.
func (d *DB) Jobs(ctx context.Context, f JobFilter) ([]Job, error) {
	var b builder
	where := []string{"true"}
	if !f.All && len(f.States) == 0 {
		where = append(where, "j.finalized_at IS NULL")
	}
	if len(f.Kinds) > 0 {
		where = append(where, "j.kind = ANY("+b.arg(f.Kinds)+")")
	}
	if len(f.States) > 0 {
		where = append(where, jobStateSQL+" = ANY("+b.arg(f.States)+")")
	}
	if f.Resource != "" {
		where = append(where, "EXISTS (SELECT 1 FROM jsonb_each_text(j.args) a WHERE right(a.key, 3) = '_id' AND a.value = "+b.arg(f.Resource)+")")
	}
	sql := fmt.Sprintf("%s WHERE %s ORDER BY j.id DESC LIMIT %s", jobSQL, strings.Join(where, " AND "), b.arg(max(f.Limit, 1)))
	rows, err := d.pool.Query(ctx, sql, b.args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanJob)
}

// Job gives a job. NotFound when there is none, or none any more.
func (d *DB) Job(ctx context.Context, id int64) (Job, error) {
	rows, err := d.pool.Query(ctx, jobSQL+" WHERE j.id = $1", id)
	if err != nil {
		return Job{}, err
	}
	found, err := pgx.CollectRows(rows, scanJob)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "There is no job %d. Jobs that have ended are kept for some time only.", id)
	}
	if err != nil {
		return Job{}, err
	}
	return found[0], nil
}

func scanJob(row pgx.CollectableRow) (Job, error) {
	var j Job
	var metadata struct {
		Notes   json.RawMessage `json:"clinker"`
		Cancel  *JobRequest     `json:"clinker_cancel"`
		Snoozes int             `json:"snoozes"`
	}
	if err := row.Scan(&j.ID, &j.Kind, &j.State, &j.Args, &metadata, &j.Attempts, &j.CreatedAt, &j.WorkedAt, &j.EndedAt, &j.Errors, &j.Worker); err != nil {
		return j, err
	}
	var notes struct {
		BytesDone  int64  `json:"bytes_done"`
		BytesTotal int64  `json:"bytes_total"`
		Failure    string `json:"failure"`
	}
	if metadata.Notes != nil {
		if err := json.Unmarshal(metadata.Notes, &notes); err != nil {
			return j, err
		}
	}
	j.Notes, j.Looks = metadata.Notes, metadata.Snoozes
	j.BytesDone, j.BytesTotal, j.Failure = notes.BytesDone, notes.BytesTotal, notes.Failure
	if metadata.Cancel != nil {
		j.CancelAsked = &metadata.Cancel.At
	}
	return j, j.about()
}

// about finds in the arguments what the job is about: the first id that is there
// of those it may be about.
func (j *Job) about() error {
	var args map[string]any
	if err := json.Unmarshal(j.Args, &args); err != nil {
		return err
	}
	j.RequestID, _ = args["request"].(string)
	for _, resource := range resources {
		if id, ok := args[resource.name+"_id"].(string); ok {
			j.Resource, j.ResourceID = resource.name, id
			return nil
		}
	}
	return nil
}

// resource is what jobs are about, and its table.
type resource struct{ name, table string }

// resources are in the order in which the arguments are searched: a job about a
// snapshot may name its volume too.
var resources = []resource{
	{"backup", "backups"}, {"group_snapshot", "group_snapshots"}, {"group", "groups"}, {"snapshot", "snapshots"}, {"volume", "volumes"},
}

// StatusOf gives the status of what a job is about, "" when that is gone.
func (d *DB) StatusOf(ctx context.Context, j Job) (status string, err error) {
	i := slices.IndexFunc(resources, func(r resource) bool { return r.name == j.Resource })
	if i < 0 {
		return "", nil
	}
	rows, err := d.pool.Query(ctx, "SELECT status FROM "+resources[i].table+" WHERE id = $1 AND deleted_at IS NULL", j.ResourceID)
	if err != nil {
		return "", err
	}
	status, err = pgx.CollectOneRow(rows, pgx.RowTo[string])
	if err == pgx.ErrNoRows {
		err = nil
	}
	return status, err
}
