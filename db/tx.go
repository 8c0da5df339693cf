package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"gorm.io/gorm"
)

// quiet keeps River from logging each of its housekeeping steps.
var quiet = slog.New(slog.DiscardHandler)

// txTries bounds how often a transaction is begun again after a deadlock or a
// serialization failure, neither of which says anything about the request.
const txTries = 5

// Tx is one transaction. Its methods are in the files of the tables they write.
type Tx struct {
	gorm     *gorm.DB
	insert   *river.Client[*sql.Tx]
	uses     []use  // of quota; counted at the end, see Use
	enqueued bool   // a job, of which the schedulers are told after the commit
	locked   string // the volume whose row this transaction has locked last
}

// Tx runs fn in one transaction and commits when it returns nil. fn may run
// more than once and therefore changes nothing outside of the transaction.
func (d *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	var err error
	for range txTries {
		var t *Tx
		err = d.gorm.WithContext(ctx).Transaction(func(g *gorm.DB) error {
			t = &Tx{gorm: g, insert: d.insert}
			if err := fn(t); err != nil {
				return err
			}
			return t.count()
		})
		if err == nil && t.enqueued {
			d.wake()
		}
		if !retryable(err) {
			return err
		}
	}
	return err
}

// once runs fn, which makes one statement, without the cost of a transaction
// around it.
func (d *DB) once(ctx context.Context, fn func(tx *Tx) error) error {
	return fn(&Tx{gorm: d.gorm.WithContext(ctx)})
}

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

// Enqueue adds a job that starts when the transaction commits, and never if it
// does not.
func (t *Tx) Enqueue(ctx context.Context, args river.JobArgs) error {
	if _, err := t.insert.InsertTx(ctx, t.gorm.Statement.ConnPool.(*sql.Tx), args, nil); err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	t.enqueued = true
	return nil
}
