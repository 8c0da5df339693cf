package db

import (
	"context"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
	"clinker/internal/keys"
)

// The database is the table of the local key store: what it has of a key is of
// no use without the key file.
var _ keys.Table = (*DB)(nil)

// InsertKey implements keys.Table.
func (d *DB) InsertKey(ctx context.Context, row keys.Sealed) error {
	_, err := d.pool.Exec(ctx, "INSERT INTO local_keys (id, project_id, user_id, name, algorithm, bits) VALUES ($1, $2, $3, $4, $5, $6)",
		row.ID, row.ProjectID, row.UserID, row.Name, row.Algorithm, row.Bits)
	return err
}

// FillKey implements keys.Table.
func (d *DB) FillKey(ctx context.Context, id string, sealed []byte) (bool, error) {
	tag, err := d.pool.Exec(ctx, "UPDATE local_keys SET sealed = $2 WHERE id = $1 AND sealed IS NULL", id, sealed)
	return tag.RowsAffected() == 1, err
}

// SealedKey implements keys.Table.
func (d *DB) SealedKey(ctx context.Context, id string) (keys.Sealed, error) {
	none := fault.New(fault.NotFound, "There is no key %s.", id)
	if !ValidID(id) {
		return keys.Sealed{}, none
	}
	rows, err := d.pool.Query(ctx, "SELECT id, project_id, user_id, name, algorithm, bits, sealed, created_at FROM local_keys WHERE id = $1", id)
	if err != nil {
		return keys.Sealed{}, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k keys.Sealed, err error) {
		return k, row.Scan(&k.ID, &k.ProjectID, &k.UserID, &k.Name, &k.Algorithm, &k.Bits, &k.Sealed, &k.CreatedAt)
	})
	if err != nil || len(found) == 0 {
		if err == nil {
			err = none
		}
		return keys.Sealed{}, err
	}
	return found[0], nil
}

// DeleteKey implements keys.Table.
func (d *DB) DeleteKey(ctx context.Context, id string) error {
	_, err := d.pool.Exec(ctx, "DELETE FROM local_keys WHERE id = $1", id)
	return err
}
