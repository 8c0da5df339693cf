package db

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A transaction's statements are sent when the answer to one of them is needed,
// or at its end: those before go in the same message, the begin and the commit
// too. Most transactions are two round trips so, and their locks are held for
// as long.

// later adds a statement whose answer nobody waits for. An error of it is the
// next one's that is waited for, or the commit's.
func (t *Tx) later(sql string, args ...any) { t.waiting.Queue(sql, args...) }

// expect is later for a statement that must meet a row: none is the error when
// it does not.
func (t *Tx) expect(none error, sql string, args ...any) {
	t.checked = true
	t.waiting.Queue(sql, args...).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() == 0 {
			return none
		}
		return nil
	})
}

// ask is later for a query of one row, whose values are wanted when a next
// statement has been waited for.
func (t *Tx) ask(values []any, sql string, args ...any) {
	t.waiting.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(values...) })
}

// exec runs a statement and tells how many rows it met.
func (t *Tx) exec(ctx context.Context, sql string, args ...any) (rows int64, err error) {
	t.begin()
	t.waiting.Queue(sql, args...).Exec(func(tag pgconn.CommandTag) error {
		rows = tag.RowsAffected()
		return nil
	})
	return rows, t.flush(ctx)
}

// all reads the rows of a statement.
func all[T any](ctx context.Context, t *Tx, scan pgx.RowToFunc[T], sql string, args ...any) (found []T, err error) {
	t.begin()
	t.waiting.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		found, err = pgx.CollectRows(rows, scan)
		return err
	})
	return found, t.flush(ctx)
}

// first reads the one row of a statement; missing is the error when there is none.
func first[T any](ctx context.Context, t *Tx, scan pgx.RowToFunc[T], missing error, sql string, args ...any) (T, error) {
	found, err := all(ctx, t, scan, sql, args...)
	if err == nil && len(found) == 0 {
		err = missing
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// begin puts the transaction's beginning before the first statement that is
// sent. It is not called at the end: statements that are all sent together need
// neither begin nor commit.
func (t *Tx) begin() {
	if t.sent {
		return
	}
	t.sent = true
	queued := t.waiting.QueuedQueries
	t.waiting = pgx.Batch{}
	t.waiting.Queue("begin")
	t.waiting.QueuedQueries = append(t.waiting.QueuedQueries, queued...)
}

// flush sends what waits, and runs the checks.
func (t *Tx) flush(ctx context.Context) error {
	if t.checked {
		t.begin()
	}
	if t.waiting.Len() == 0 {
		return nil
	}
	batch := t.waiting
	t.waiting, t.checked = pgx.Batch{}, false
	return t.bare(func(c *pgx.Conn) error { return c.SendBatch(ctx, &batch).Close() })
}
