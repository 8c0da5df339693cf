package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// LogRequest is what a process is to log, from now on.
type LogRequest struct {
	ServiceID string
	Prefix    string // of loggers' names
	Level     string
}

// logRequestAge is how long such a request waits for its process, which hears of
// it with its next heartbeat or is gone.
const logRequestAge = time.Minute

// RequestLogLevel asks services to log at a level from now on. Each hears of it
// with its next heartbeat.
func (t *Tx) RequestLogLevel(ctx context.Context, serviceIDs []string, prefix, level string) error {
	for _, id := range serviceIDs {
		err := t.gorm.Exec("INSERT INTO log_requests (service_id, prefix, level) VALUES (?, ?, ?)", id, prefix, level).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// LogRequests gives what services have not heard of yet, the oldest first.
func (d *DB) LogRequests(ctx context.Context) ([]LogRequest, error) {
	return d.logRequests(ctx, "SELECT service_id, prefix, level FROM log_requests WHERE at > now() - $1::interval ORDER BY id", logRequestAge)
}

// TakeLogRequests gives what a service is asked to log, the oldest first; each
// once. What is too old is taken away.
func (d *DB) TakeLogRequests(ctx context.Context, host, daemon string) ([]LogRequest, error) {
	return d.logRequests(ctx, `WITH taken AS (
			DELETE FROM log_requests r USING services s
			WHERE s.id = r.service_id AND s.host = $2 AND s.daemon = $3 RETURNING r.*
		)
		SELECT service_id, prefix, level FROM taken WHERE at > now() - $1::interval ORDER BY id`, logRequestAge, host, daemon)
}

func (d *DB) logRequests(ctx context.Context, sql string, args ...any) ([]LogRequest, error) {
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r LogRequest, err error) {
		return r, row.Scan(&r.ServiceID, &r.Prefix, &r.Level)
	})
}

// RecordLogLevels writes what a service's process logs. May be repeated.
func (d *DB) RecordLogLevels(ctx context.Context, host, daemon string, levels map[string]string) error {
	_, err := d.pool.Exec(ctx, "UPDATE services SET log_levels = $3 WHERE host = $1 AND daemon = $2 AND log_levels <> $3",
		host, daemon, StringMap(levels))
	return err
}
