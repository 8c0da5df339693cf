package conf

import (
	"net/url"
	"strings"

	"clinker/internal/fault"
)

// Database is [database]: the one PostgreSQL database that api and scheduler
// share. volumed does not read it.
type Database struct {
	Connection  Secret `ini:"connection" default:"" help:"Where PostgreSQL is: postgresql://user:password@host:port/database, also as SQLAlchemy writes it (postgresql+psycopg2://)."`
	MaxPoolSize int    `ini:"max_pool_size" default:"20" min:"1" help:"The most connections a process keeps open."`
}

// connectionAccepts ends every error about the connection; the value itself
// is not shown, for it holds a password.
const connectionAccepts = "accepted is postgresql://user:password@host:port/database"

// normalize turns SQLAlchemy's URL into the one libpq and pgx read: without a
// +driver in the scheme, without arguments that are SQLAlchemy's own.
func (d *Database) normalize() error {
	text := strings.TrimSpace(d.Connection.Reveal())
	if text == "" {
		return nil
	}
	scheme, _, isURL := strings.Cut(text, "://")
	if !isURL {
		if strings.Contains(text, "dbname=") || strings.Contains(text, "host=") {
			return nil // libpq's keyword form
		}
		return fault.New(fault.Invalid, "[database] connection is no URL; %s", connectionAccepts)
	}
	dialect, _, _ := strings.Cut(scheme, "+")
	if dialect != "postgresql" && dialect != "postgres" {
		return fault.New(fault.Invalid, "[database] connection is for %s, but Clinker keeps its data in PostgreSQL; %s", dialect, connectionAccepts)
	}
	u, err := url.Parse("postgresql" + strings.TrimPrefix(text, scheme))
	if err != nil { // err would repeat the URL, password included
		return fault.New(fault.Invalid, "[database] connection is not a well-formed URL (in a password, write @ as %%40, / as %%2F); %s", connectionAccepts)
	}
	query := u.Query()
	for _, name := range []string{"charset", "client_encoding", "plugin"} {
		query.Del(name)
	}
	u.RawQuery = query.Encode()
	d.Connection = Secret(u.String())
	return nil
}
