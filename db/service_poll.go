package db

import (
	"context"
	"time"
)

// TakePolls gives the backends of storage nodes that nobody has polled for the
// interval, and marks them: of many schedulers one polls each node.
func (d *DB) TakePolls(ctx context.Context, interval time.Duration) ([]Service, error) {
	var due []Service
	return due, d.gorm.WithContext(ctx).Raw(`UPDATE services SET polled_at = now()
		WHERE daemon = ? AND endpoint <> '' AND (polled_at IS NULL OR polled_at <= now() - ?::interval)
		RETURNING *`, DaemonVolume, interval.String()).Scan(&due).Error
}
