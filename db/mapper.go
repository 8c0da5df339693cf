package db

import (
	"context"
	"database/sql"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// now is what rows are written with: PostgreSQL keeps microseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// bare gives f the connection below database/sql. Not when that has given it up,
// which it does by itself when a statement could not be sent: it is another's then.
func (t *Tx) bare(f func(*pgx.Conn) error) error {
	return t.held.Raw(func(driver any) error { return f(driver.(*stdlib.Conn).Conn()) })
}

// mapper gives a GORM for a transaction.
func (d *DB) mapper(ctx context.Context, t *Tx, c *sql.Conn) *gorm.DB {
	session := d.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	session.Statement.ConnPool = &inOrder{c, t}
	return session
}

// inOrder has GORM's statements follow those that were there before.
type inOrder struct {
	*sql.Conn
	tx *Tx
}

func (o *inOrder) catchUp(ctx context.Context) error {
	o.tx.begin()
	if err := o.tx.flush(ctx); err != nil {
		o.tx.flawed = err
	}
	return o.tx.flawed
}

// ExecContext is gorm.ConnPool's.
func (o *inOrder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := o.catchUp(ctx); err != nil {
		return nil, err
	}
	return o.Conn.ExecContext(ctx, query, args...)
}

// QueryContext is gorm.ConnPool's.
func (o *inOrder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := o.catchUp(ctx); err != nil {
		return nil, err
	}
	return o.Conn.QueryContext(ctx, query, args...)
}

// QueryRowContext is gorm.ConnPool's. Its row cannot carry the error of an
// earlier statement; the commit does.
func (o *inOrder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	_ = o.catchUp(ctx)
	return o.Conn.QueryRowContext(ctx, query, args...)
}
