package db

import (
	"context"
	"time"
)

// HastenJobs has those jobs start now that wait for longer than a job puts itself
// off at most, and tells how many. A job is put off by the clock of its scheduler's
// machine, and is due by the database's: what a scheduler put off whose clock was an
// hour ahead would lie for that hour. May be repeated.
func (d *DB) HastenJobs(ctx context.Context, longest time.Duration) (int64, error) {
	tag, err := d.pool.Exec(ctx, `UPDATE river_job SET state = 'available', scheduled_at = now()
		WHERE state IN ('available', 'retryable', 'scheduled') AND scheduled_at > now() + $1::interval`, longest)
	return tag.RowsAffected(), err
}
