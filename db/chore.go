package db

import (
	"context"
	"time"
)

// TakeChore tells whether it is time for a chore that was last begun at least
// that long ago, and marks it as begun: of many processes one gets true.
func (d *DB) TakeChore(ctx context.Context, name string, every time.Duration) (bool, error) {
	tag, err := d.pool.Exec(ctx, `INSERT INTO chores AS c (name, begun_at) VALUES ($1, now())
		ON CONFLICT (name) DO UPDATE SET begun_at = EXCLUDED.begun_at
		WHERE c.begun_at <= now() - $2::interval`, name, every)
	return tag.RowsAffected() == 1, err
}

// PutOffChore has a chore begun no sooner than after that pause: one that has been
// done, or one that goes on longer than every, which nobody else is to begin
// meanwhile. One that is to be hurried stays so. May be repeated.
func (d *DB) PutOffChore(ctx context.Context, name string, every, pause time.Duration) error {
	_, err := d.pool.Exec(ctx, `UPDATE chores SET begun_at = greatest(begun_at, now() + $3::interval - $2::interval)
		WHERE name = $1 AND begun_at > '-infinity'`, name, every, pause)
	return err
}

// HurryChores has every chore done as soon as a scheduler looks. May be repeated.
func (d *DB) HurryChores(ctx context.Context) error {
	_, err := d.pool.Exec(ctx, "UPDATE chores SET begun_at = '-infinity'")
	return err
}
