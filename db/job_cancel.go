package db

import (
	"context"
	"encoding/json"
	"time"

	"clinker/internal/fault"
)

// CancelJob asks for the end of a job. The worker that has it, or the next that
// takes it, stops the work on the node and gives the row its right status: nothing
// else does. Conflict when the job has ended, NotFound when there is none. May be
// repeated.
func (d *DB) CancelJob(ctx context.Context, id int64) error {
	request, err := json.Marshal(map[string]JobRequest{JobCancel: {At: time.Now().UTC()}})
	if err != nil {
		return err
	}
	tag, err := d.pool.Exec(ctx, `UPDATE river_job SET metadata = metadata || $2::jsonb,
			state = CASE WHEN state IN ('scheduled', 'retryable') THEN 'available' ELSE state END,
			scheduled_at = CASE WHEN state IN ('scheduled', 'retryable', 'available') THEN now() ELSE scheduled_at END
		WHERE id = $1 AND finalized_at IS NULL`, id, request)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 1 {
		d.wake()
		return nil
	}
	job, err := d.Job(ctx, id)
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "The job %d has ended already: it is %s.", id, job.State)
}
