package db

import (
	"context"
	"time"
)

// RescueJobs makes jobs that nobody works on available again, and tells how
// many: those of workers that are gone, and those that have been running for
// longer than any job may, whose worker never heard that it had taken them. A
// worker is there while the services row of its scheduler names its River client
// and had a heartbeat within deadAfter; a scheduler that was started again under
// the same host has another client. May be repeated.
func (d *DB) RescueJobs(ctx context.Context, deadAfter, longest time.Duration) (int64, error) {
	tag, err := d.pool.Exec(ctx, `UPDATE river_job SET state = 'available', scheduled_at = now(),
			max_attempts = max_attempts + 1
		WHERE state = 'running' AND (attempted_at <= now() - $3::interval
			OR attempted_by[array_upper(attempted_by, 1)] NOT IN (
				SELECT node_uuid::text FROM services WHERE daemon = $1 AND node_uuid IS NOT NULL
					AND heartbeat_at > now() - $2::interval))`, DaemonScheduler, deadAfter, longest)
	return tag.RowsAffected(), err
}
