package db

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Managed is what is known of a volume or snapshot that Clinker did not make.
type Managed struct {
	PoolID    *string
	Reference string // the name it had in its pool
	State     string
}

// The states of what is managed.
const (
	Managing  = "managing" // until then, to be given its name back rather than destroyed
	ManagedBy = "managed"  // ours like any other
	Released  = "released" // let go: no concern of ours any more
)

// ManagedOf gives what is known of a volume or snapshot; ok is false for one
// that was made here.
func (d *DB) ManagedOf(ctx context.Context, id string) (m Managed, ok bool, err error) {
	rows, err := d.pool.Query(ctx, "SELECT pool_id, reference, state FROM managed WHERE resource_id = $1", id)
	if err != nil {
		return m, false, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Managed, err error) {
		return m, row.Scan(&m.PoolID, &m.Reference, &m.State)
	})
	if err != nil || len(found) == 0 {
		return m, false, err
	}
	return found[0], true, nil
}

// setManaged writes the state of one, and makes the row if need be.
func (t *Tx) setManaged(id string, poolID *string, reference, state string) error {
	return t.gorm.Exec(`INSERT INTO managed (resource_id, pool_id, reference, state) VALUES (?, ?, ?, ?)
		ON CONFLICT (resource_id) DO UPDATE SET state = EXCLUDED.state`, id, poolID, reference, state).Error
}

// notReleasedSQL leaves out of a comparison with a node what it is no concern of:
// what was let go, and what is not ours yet.
func notReleasedSQL(id string) string {
	return " AND NOT EXISTS (SELECT 1 FROM managed m WHERE m.resource_id = " + id + " AND m.state <> 'managed')"
}

// AlreadyManaged tells which of the ids are live volumes or snapshots, or backups,
// which nodes take snapshots for.
func (d *DB) AlreadyManaged(ctx context.Context, ids []string) (map[string]bool, error) {
	rows, err := d.pool.Query(ctx, `SELECT id FROM volumes WHERE id = ANY($1::uuid[]) AND name_id IS NULL AND deleted_at IS NULL
		UNION ALL SELECT name_id FROM volumes WHERE name_id = ANY($1::uuid[]) AND deleted_at IS NULL
		UNION ALL SELECT id FROM snapshots WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL
		UNION ALL SELECT id FROM backups WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL`, valid(ids))
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	live := make(map[string]bool, len(found))
	for _, id := range found {
		live[id] = true
	}
	return live, err
}
