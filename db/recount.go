package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Difference is a counter that is not what the rows say.
type Difference struct {
	What     string // whose counter: a project and a resource, or a pool
	Counted  int64  // what the counter says
	Expected int64  // what the rows say
}

// String puts it into a sentence for the log.
func (d Difference) String() string {
	return fmt.Sprintf("%s is counted as %d and is %d", d.What, d.Counted, d.Expected)
}

// recountQuotaSQL counts as VolumeUse, GrowthUse, SnapshotUse, GroupUse and BackupUse do: a
// volume that is to grow counts its target already, and one that is to have
// another type counts under that one's name already.
const recountQuotaSQL = `WITH rows AS (
		SELECT true AS once, v.project_id, t.name AS type, 1 AS volumes, 0 AS snapshots,
			greatest(v.size_gib, COALESCE(v.target_size_gib, 0)) AS gigabytes
		FROM volumes v JOIN volume_types t ON t.id = v.volume_type_id WHERE v.deleted_at IS NULL AND v.consumes_quota
		UNION ALL SELECT true, s.project_id, t.name, 0, 1, s.quota_gib
		FROM snapshots s JOIN volume_types t ON t.id = s.volume_type_id WHERE s.deleted_at IS NULL AND s.consumes_quota
		UNION ALL SELECT false, r.project_id, t.name, r.volumes, r.snapshots, r.gigabytes
		FROM volume_retypes r JOIN volume_types t ON t.id = r.volume_type_id
		JOIN volumes v ON v.id = r.volume_id AND v.deleted_at IS NULL AND v.status = 'retyping'
	), sums AS (
		SELECT project_id, '' AS suffix, sum(volumes) AS volumes, sum(snapshots) AS snapshots, sum(gigabytes) AS gigabytes
		FROM rows WHERE once GROUP BY project_id
		UNION ALL SELECT project_id, '_' || type, sum(volumes), sum(snapshots), sum(gigabytes) FROM rows GROUP BY project_id, type
	), expected AS (
		SELECT project_id, c.resource || suffix AS resource, c.n::bigint AS n
		FROM sums, LATERAL (VALUES ('volumes', volumes), ('snapshots', snapshots), ('gigabytes', gigabytes)) AS c (resource, n)
		UNION ALL SELECT project_id, 'groups', count(*) FROM groups WHERE deleted_at IS NULL GROUP BY project_id
		UNION ALL SELECT project_id, 'backups', count(*) FROM backups WHERE deleted_at IS NULL GROUP BY project_id
		UNION ALL SELECT project_id, 'backup_gigabytes', sum(size_gib) FROM backups WHERE deleted_at IS NULL GROUP BY project_id
	)
	SELECT 'project ' || project_id || ', ' || resource, COALESCE(u.in_use, 0), COALESCE(e.n, 0)
	FROM (SELECT * FROM quota_usages WHERE resource ~ '^(volumes|snapshots|gigabytes)(_|$)|^(groups|backups|backup_gigabytes)$') u
	FULL JOIN expected e USING (project_id, resource)
	WHERE COALESCE(u.in_use, 0) <> COALESCE(e.n, 0) ORDER BY 1`

// RecountQuota compares the counters of volumes, snapshots, gigabytes, groups and backups with the rows.
// Both change in the same transactions, so that any difference is a mistake.
func (d *DB) RecountQuota(ctx context.Context) ([]Difference, error) {
	return d.differences(ctx, recountQuotaSQL)
}

const recountPoolsSQL = `WITH claimed AS (
		SELECT pool_id, sum(claimed_bytes)::bigint AS bytes, sum(volumes) AS volumes FROM (
			SELECT pool_id, claimed_bytes, 1 AS volumes FROM volumes WHERE deleted_at IS NULL AND pool_id IS NOT NULL
			UNION ALL SELECT pool_id, claimed_bytes, 0 FROM snapshots WHERE deleted_at IS NULL AND pool_id IS NOT NULL
			UNION ALL SELECT pool_id, claimed_bytes, 1 FROM volume_migrations WHERE pool_id IS NOT NULL
		) AS rows GROUP BY pool_id
	), counted AS (
		SELECT p.name, p.allocated_bytes, p.volume_count, COALESCE(c.bytes, 0) AS bytes, COALESCE(c.volumes, 0) AS volumes
		FROM pools p LEFT JOIN claimed c ON c.pool_id = p.id
	)
	SELECT 'pool ' || name || ', bytes', allocated_bytes, bytes FROM counted WHERE allocated_bytes <> bytes
	UNION ALL SELECT 'pool ' || name || ', volumes', volume_count::bigint, volumes FROM counted WHERE volume_count <> volumes
	ORDER BY 1`

// RecountPools is the same for what pools have been promised.
func (d *DB) RecountPools(ctx context.Context) ([]Difference, error) {
	return d.differences(ctx, recountPoolsSQL)
}

func (d *DB) differences(ctx context.Context, sql string) ([]Difference, error) {
	rows, err := d.pool.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (x Difference, err error) {
		return x, row.Scan(&x.What, &x.Counted, &x.Expected)
	})
}
