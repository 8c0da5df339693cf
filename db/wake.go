package db

import (
	"context"
	"log/slog"
)

// River listens on this channel for jobs of the queue in the payload.
const wakeSQL = `SELECT pg_notify(current_schema() || '.river_insert', '{"queue": "default"}')`

// wake tells the schedulers that there are jobs. It does not wait: it is a
// statement of its own, behind the commit. Inside the transaction it would make
// all such commits wait for each other's disk writes, for PostgreSQL keeps
// notifications in the order of commits. Should it be lost, the jobs are found
// half a second later.
func (d *DB) wake() {
	select {
	case d.jobs <- struct{}{}:
	default: // one is on its way, and will be sent after this commit
	}
}

// wakeLoop sends what wake asks for, until the DB is closed.
func (d *DB) wakeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.jobs:
		}
		if _, err := d.pool.Exec(ctx, wakeSQL); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "the schedulers could not be woken", "error", err)
		}
	}
}
