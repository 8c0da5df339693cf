package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"clinker/db"
	"clinker/internal/conf"
	"clinker/internal/fault"
	"clinker/internal/pki"
	"clinker/internal/telemetry"
)

// load reads the configuration and sets up the log as it says.
func (c *commands) load(ctx context.Context) (*conf.Config, error) {
	cfg, warnings, err := conf.Load(c.Config)
	if err != nil {
		return nil, err
	}
	level := slog.LevelInfo
	if cfg.Debug {
		level = slog.LevelDebug
	}
	telemetry.Log(os.Stderr, level, cfg.UseJSON)
	for _, w := range warnings {
		slog.WarnContext(ctx, "configuration", "file", c.Config, "warning", w.String())
	}
	return cfg, nil
}

// connectDatabase connects as [database] says, whatever its schema is.
func connectDatabase(ctx context.Context, cfg *conf.Config, options ...db.Option) (*db.DB, error) {
	url := cfg.Database.Connection.Reveal()
	if url == "" {
		return nil, fault.New(fault.Invalid, "[database] connection is empty: say where PostgreSQL is, postgresql://user:password@host/database")
	}
	return db.Open(ctx, url, cfg.Database.MaxPoolSize, options...)
}

// withDatabase runs what a subcommand is to do with the database, and tells it the configuration.
func withDatabase(ctx context.Context, c *commands, do func(d *db.DB, cfg *conf.Config) error) error {
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	d, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer d.Close()
	return do(d, cfg)
}

// openDatabase is connectDatabase for those who need this program's schema. One that
// is newer has to do: the next version is being installed.
func openDatabase(ctx context.Context, cfg *conf.Config, options ...db.Option) (*db.DB, error) {
	d, err := connectDatabase(ctx, cfg, options...)
	if err != nil {
		return nil, err
	}
	applied, known, err := d.SchemaVersion(ctx)
	if err == nil && applied < known {
		err = fault.New(fault.Conflict, "the database has schema %d, this program needs %d: run clinker db migrate", applied, known)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	if applied > known {
		slog.WarnContext(ctx, "the database is of a newer version than this program", "schema", applied, "known", known)
	}
	return d, nil
}

// clientTLS is how this process calls others, as role.
func clientTLS(cfg *conf.Config, role pki.Role, servers ...pki.Role) (*tls.Config, error) {
	ca, cert, key := cfg.Clinker.TLSFiles(string(role))
	if err := pki.CheckFile(cert, role); err != nil {
		return nil, err
	}
	return pki.ClientTLS(ca, cert, key, servers...)
}

// serverTLS is how this process lets others call it, as role.
func serverTLS(cfg *conf.Config, role pki.Role, clients ...pki.Role) (*tls.Config, error) {
	ca, cert, key := cfg.Clinker.TLSFiles(string(role))
	if err := pki.CheckFile(cert, role); err != nil {
		return nil, err
	}
	return pki.ServerTLS(ca, cert, key, clients...)
}

// allow lets only callers with one of the roles in.
func allow(roles ...pki.Role) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error { return pki.RequireRole(state, roles...) }
}

// listenTCP opens a port; one that is taken is said in a sentence, with the options that
// chose it.
func listenTCP(ctx context.Context, address, options string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", explainListen(address, err), options)
	}
	return listener, nil
}

// serveHTTP answers on the listener until ctx ends, and then lets what is under
// way finish for up to ten seconds.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // no body is larger than MaxBody
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if server.Shutdown(limit) != nil {
		return server.Close()
	}
	return nil
}
