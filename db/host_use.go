package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// HostUse is what a project has on a backend.
type HostUse struct {
	ProjectID               string
	Volumes, VolumesGiB     int
	Snapshots, SnapshotsGiB int
}

// HostUse sums up what projects have on a backend, host@backend, by project.
func (d *DB) HostUse(ctx context.Context, serviceID string) ([]HostUse, error) {
	rows, err := d.pool.Query(ctx, `SELECT project_id, sum(volumes), sum(volume_gib), sum(snapshots), sum(snapshot_gib) FROM (
			SELECT v.project_id, 1 AS volumes, v.size_gib AS volume_gib, 0 AS snapshots, 0 AS snapshot_gib
			FROM volumes v JOIN pools p ON p.id = v.pool_id WHERE p.service_id = $1 AND v.deleted_at IS NULL AND v.user_id >= ''
			UNION ALL SELECT s.project_id, 0, 0, 1, s.size_gib
			FROM snapshots s JOIN pools p ON p.id = s.pool_id WHERE p.service_id = $1 AND s.deleted_at IS NULL
		) AS things GROUP BY project_id ORDER BY project_id`, serviceID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (u HostUse, err error) {
		return u, row.Scan(&u.ProjectID, &u.Volumes, &u.VolumesGiB, &u.Snapshots, &u.SnapshotsGiB)
	})
}
