package db

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river"
)

// quiet keeps River from logging each of its housekeeping steps.
var quiet = slog.New(slog.DiscardHandler)

// enqueueSQL is what River's own insert comes to for a job of the default queue
// that starts at once; its columns are what River's clients in other languages
// write too. River's Go client takes 0.3 ms of processor time for it.
const enqueueSQL = "INSERT INTO river_job (kind, args, max_attempts) VALUES ($1, $2::jsonb, $3)"

// Enqueue adds a job that starts when the transaction commits, and never if it
// does not.
func (t *Tx) Enqueue(ctx context.Context, args river.JobArgs) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	t.later(enqueueSQL, args.Kind(), string(raw), river.MaxAttemptsDefault)
	t.enqueued = true
	return nil
}

// The jobs that scheduler/jobs works on. A job names rows, it does not copy
// them: what is to be done is read from the row when the job runs, so that a
// job that runs twice or late does nothing wrong. Request is the id of the
// request that asked, for logs and user messages.

// VolumeCreateArgs asks for a place and a volume for a row in status creating.
type VolumeCreateArgs struct {
	VolumeID      string   `json:"volume_id"`
	Request       string   `json:"request"`
	SameHost      []string `json:"same_host,omitempty"`      // volumes to share a backend with
	DifferentHost []string `json:"different_host,omitempty"` // volumes to stay away from
	Zones         []string `json:"zones,omitempty"`          // empty: any
}

// Kind is River's name of the job.
func (VolumeCreateArgs) Kind() string { return "volume_create" }

// VolumeExtendArgs asks that a row in status extending get its target size.
type VolumeExtendArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeExtendArgs) Kind() string { return "volume_extend" }

// VolumeExtendedArgs asks that the servers which have a volume be told that it has
// grown.
type VolumeExtendedArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeExtendedArgs) Kind() string { return "volume_extended" }

// VolumeDeleteArgs asks that a row in status deleting go away.
type VolumeDeleteArgs struct {
	VolumeID string `json:"volume_id"`
	Request  string `json:"request"`
}

// Kind is River's name of the job.
func (VolumeDeleteArgs) Kind() string { return "volume_delete" }
