package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// TypeSpecs is what a volume type asks of the pool of its volumes.
type TypeSpecs struct {
	ExtraSpecs StringMap
	BackEndQos StringMap // its QoS specs, if they are for the storage alone to keep to
}

// backEndQosSQL is TypeSpecs.BackEndQos of the type t.
const backEndQosSQL = `(SELECT q.specs FROM qos_specs q WHERE q.id = t.qos_specs_id AND q.consumer = 'back-end')`

// VolumeAndSpecs gives a live volume and what its type asks for, which may have
// been deleted since. NotFound when there is no such volume.
func (d *DB) VolumeAndSpecs(ctx context.Context, id string) (v Volume, specs TypeSpecs, err error) {
	if !ValidID(id) {
		return v, specs, VolumeNotFound(id)
	}
	err = d.pool.QueryRow(ctx, "SELECT "+volumes.columns+", t.extra_specs, "+backEndQosSQL+" FROM "+volumes.from+" WHERE v.id = $1 AND "+volumes.live, id).
		Scan(append(v.fields(), &specs.ExtraSpecs, &specs.BackEndQos)...)
	if errors.Is(err, pgx.ErrNoRows) {
		err = VolumeNotFound(id)
	}
	return v, specs, err
}

// HostsOf gives where a project's live volumes are, as host@backend#pool: "" for
// one that has no place yet or that the project does not have, one for each id.
func (d *DB) HostsOf(ctx context.Context, project string, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := d.pool.Query(ctx, `SELECT COALESCE(v.host, '') FROM unnest($1::text[]) AS wanted (id)
		LEFT JOIN volumes v ON v.id = CASE WHEN wanted.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN wanted.id::uuid END
			AND v.project_id = $2 AND v.deleted_at IS NULL`, ids, project)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// StorageID gives the id by which its node knows a volume, see Volume.StorageID:
// its own when there is no such row.
func (d *DB) StorageID(ctx context.Context, volumeID string) (id string, err error) {
	err = d.pool.QueryRow(ctx, "SELECT COALESCE(name_id, id)::text FROM volumes WHERE id = $1", volumeID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return volumeID, nil
	}
	return id, err
}
