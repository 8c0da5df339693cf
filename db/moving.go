package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// movingStatuses are those of work under way.
const movingStatuses = `('creating', 'downloading', 'extending', 'deleting', 'managing', 'unmanaging', 'reverting', 'retyping',
	'uploading', 'backing-up', 'restoring-backup')`

// Moving finds the service that works on a volume or snapshot at the moment, ""
// when none does yet; kind is "volume", "snapshot" or "" for either. found is
// false when nothing is under way with it.
func (d *DB) Moving(ctx context.Context, id, kind string) (serviceID string, found bool, err error) {
	if !ValidID(id) {
		return "", false, nil
	}
	err = d.pool.QueryRow(ctx, `SELECT COALESCE(service_id::text, '') FROM (
			SELECT 'volume' AS kind, v.service_id FROM volumes v
			WHERE v.id = $1 AND v.deleted_at IS NULL AND v.status IN `+movingStatuses+`
			UNION ALL SELECT 'snapshot', v.service_id FROM snapshots s JOIN volumes v ON v.id = s.volume_id
			WHERE s.id = $1 AND s.deleted_at IS NULL AND s.status IN `+movingStatuses+`
		) AS moving WHERE $2 IN ('', kind)`, id, kind).Scan(&serviceID)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	return serviceID, err == nil, err
}
