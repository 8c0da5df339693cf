package db

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"clinker/internal/fault"
)

// What PostgreSQL and PgBouncer say, as SQLSTATE.
const (
	noSuchStatement   = "26000"
	protocolViolation = "08P01"
)

// check tells whether the database answers, and whether what stands in front of it,
// if anything does, keeps a connection's statements: they are prepared once for each.
func check(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	direct, err := isDirect(ctx, conn.Conn().PgConn())
	if err != nil || direct {
		return err
	}
	return keepsStatements(ctx, &pool.Config().ConnConfig.Config)
}

// isDirect tells whether a connection is one to PostgreSQL: a pooler gives its
// clients process ids of its own.
func isDirect(ctx context.Context, c *pgconn.PgConn) (bool, error) {
	said, err := c.Exec(ctx, "SELECT pg_backend_pid()").ReadAll()
	if err != nil {
		return false, err
	}
	return string(said[0].Rows[0][0]) == strconv.FormatUint(uint64(c.PID()), 10), nil
}

// keepsStatements prepares a statement, and runs it while another connection is in a
// transaction: a pooler that hands PostgreSQL's connections from one transaction to the
// next has given that one away by then. Others may be faster, so it is tried again.
func keepsStatements(ctx context.Context, config *pgconn.Config) error {
	one, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer one.Close(ctx)
	other, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer other.Close(ctx)
	name := "clinker_" + rand.Text()
	if _, err := one.Prepare(ctx, name, "SELECT 1", nil); err != nil {
		return err
	}
	for range 3 {
		_, err := other.Exec(ctx, "BEGIN").ReadAll()
		if err == nil {
			err = one.ExecPrepared(ctx, name, nil, nil, nil).Read().Err
		}
		if err == nil {
			_, err = other.Exec(ctx, "ROLLBACK").ReadAll()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// explain makes a sentence of what check found.
func explain(err error, config *pgconn.Config) error {
	var said *pgconn.PgError
	errors.As(err, &said)
	switch {
	case said != nil && said.Code == noSuchStatement:
		return fault.New(fault.Invalid, "at %s:%d is a pooler that forgets prepared statements between transactions, as PgBouncer does with "+
			"pool_mode = transaction; Clinker needs pool_mode = session, or PostgreSQL itself", config.Host, config.Port)
	case said != nil && said.Code == protocolViolation && strings.Contains(said.Message, "startup parameter"):
		return fault.Wrap(said, fault.Invalid, "the PgBouncer at %s:%d lacks ignore_startup_parameters = %s,%s",
			config.Host, config.Port, synchronousCommit, planCacheMode)
	}
	return fault.Wrap(oneLine(err), fault.Unavailable, "the database at %s:%d does not answer", config.Host, config.Port)
}
