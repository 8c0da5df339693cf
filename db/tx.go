package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// txTries bounds how often a transaction is begun again after a deadlock or a
// serialization failure, neither of which says anything about the request.
const txTries = 5

// rollbackTimeout is how long the database may take to forget a transaction
// before the connection is given up.
const rollbackTimeout = 5 * time.Second

// Tx is one transaction. Its methods are in the files of the tables they write;
// pipeline.go has how they speak to the database.
type Tx struct {
	gorm *gorm.DB  // for what is not in a hurry: in this very transaction
	held *sql.Conn // for what is, by bare

	waiting      pgx.Batch // statements that have not been sent yet
	sent         bool      // some have been
	checked      bool      // one that waits has a check, see expect
	flawed       error     // why a statement that GORM was to follow failed
	ending       ending    // with the disk
	offByDefault bool      // commits of this connection do not wait for the disk
	uses         []use     // of quota; counted at the end, see Use
	enqueued     bool      // a job, of which the schedulers are told after the commit
	locked       string    // the volume whose row this transaction has locked last
	project      string    // whose rows it may move; see Within
}

// Tx runs fn in one transaction and commits when it returns nil. fn may run
// more than once and therefore changes nothing outside of the transaction.
func (d *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	var err error
	for range txTries {
		var enqueued bool
		err = d.onConnection(ctx, func(t *Tx) error {
			if err := fn(t); err != nil {
				return err
			}
			enqueued = t.enqueued
			return t.commit(ctx)
		})
		if err == nil && enqueued {
			d.wake()
		}
		if !retryable(err) {
			return err
		}
	}
	return err
}

// Within limits what follows in this transaction to volumes and snapshots of one
// project, "" for all. What a request has read as its project's may have gone to
// another (a transfer) before it is written; then it is NotFound.
func (t *Tx) Within(project string) { t.project = project }

// within adds that limit to a condition; column is the row's project_id.
func (t *Tx) within(where string, args []any, column string) (string, []any) {
	if t.project == "" {
		return where, args
	}
	return where + " AND " + column + " = ?", append(args, t.project)
}

// once runs fn, which makes one statement, without the cost of a transaction
// around it.
func (d *DB) once(ctx context.Context, fn func(tx *Tx) error) error {
	return d.onConnection(ctx, func(t *Tx) error {
		t.sent = true // there is nothing to begin
		if err := fn(t); err != nil {
			return err
		}
		return t.flush(ctx)
	})
}

// onConnection gives fn a transaction that has not begun. What is not committed
// when fn ends is rolled back.
func (d *DB) onConnection(ctx context.Context, fn func(tx *Tx) error) error {
	c, err := d.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close() // which also gives up a connection that is not fit for others
	t := &Tx{held: c, offByDefault: d.lazy}
	t.gorm = d.mapper(ctx, t, c)
	defer t.rollback(ctx)
	return refusal(fn(t))
}

// commit counts the quota, and ends the transaction in the same round trip.
func (t *Tx) commit(ctx context.Context) error {
	t.count()
	if t.checked {
		if err := t.flush(ctx); err != nil {
			return err
		}
	}
	if t.sent || t.waiting.Len() > 0 {
		t.end()
	}
	return errors.Join(t.flawed, t.flush(ctx))
}

// committed tells a commit from what PostgreSQL makes of it when a statement had
// failed.
func committed(tag pgconn.CommandTag) error {
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// rollback ends what was not committed, also when the caller has gone.
func (t *Tx) rollback(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = t.bare(func(c *pgx.Conn) error {
		if c.IsClosed() || c.PgConn().TxStatus() == 'I' {
			return nil
		}
		_, err := c.Exec(ctx, "rollback") // else the pool throws the connection away
		return err
	})
}

// Now is the time that this transaction writes.
func (t *Tx) Now() time.Time { return now() }

// retryable tells whether PostgreSQL ended a transaction only because of
// others: SQLSTATE 40001 serialization_failure, 40P01 deadlock_detected.
func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// duplicate tells whether a unique constraint refused a row: SQLSTATE 23505.
func duplicate(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}
