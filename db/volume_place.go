package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// ExtraSpecs reads the extra specs of a type, also of one that has been deleted
// since; none when there is no such type.
func (d *DB) ExtraSpecs(ctx context.Context, typeID string) (StringMap, error) {
	var specs StringMap
	err := d.pool.QueryRow(ctx, "SELECT extra_specs FROM volume_types WHERE id = $1", typeID).Scan(&specs)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return specs, err
}

// HostsOf gives where a project's live volumes are, as host@backend#pool: "" for
// one that has no place yet or that the project does not have, one for each id.
func (d *DB) HostsOf(ctx context.Context, project string, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := d.pool.Query(ctx, `SELECT COALESCE(v.host, '') FROM unnest($1::text[]) AS wanted (id)
		LEFT JOIN volumes v ON v.id::text = wanted.id AND v.project_id = $2 AND v.deleted_at IS NULL`, ids, project)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
