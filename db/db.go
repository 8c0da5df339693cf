package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"clinker/internal/fault"
)

// DB is a pool of connections to Clinker's database.
type DB struct {
	pool *pgxpool.Pool
	sql  *sql.DB
	gorm *gorm.DB

	lazy bool // see LazyCommits

	shown together[Volume] // see VolumeShown

	jobs chan struct{}      // rings when there are jobs, see wake
	stop context.CancelFunc // ends wakeLoop
}

// Open connects to the database at url (postgres://…) with at most maxConns
// connections, and checks that it answers. It does not migrate.
func Open(ctx context.Context, url string, maxConns int, options ...Option) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the database URL cannot be understood") // pgx's text may quote the password
	}
	config.MaxConns = int32(maxConns)
	config.ConnConfig.RuntimeParams["application_name"] = "clinker"
	noticeDeath(config.ConnConfig)
	for _, option := range options {
		option(config)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := check(ctx, pool); err != nil {
		pool.Close()
		return nil, explain(err, &config.ConnConfig.Config)
	}
	return wrap(pool)
}

// oneLine is pgx's error in one line, and once where it names an address for each of
// its tries, with TLS and without.
func oneLine(err error) error {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return errors.New(strings.Join(slices.Compact(lines), " "))
}

// wrap puts GORM on the pool.
func wrap(pool *pgxpool.Pool) (*DB, error) {
	sqlDB := stdlib.OpenDBFromPool(pool)
	mapper, err := gorm.Open(postgres.New(postgres.Config{Conn: sqlDB}), &gorm.Config{
		SkipDefaultTransaction: true,
		Logger:                 logger.Discard, // errors are returned, and logged once where they end
		NowFunc:                now,
	})
	if err != nil {
		return nil, fmt.Errorf("open GORM: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &DB{pool: pool, sql: sqlDB, gorm: mapper, jobs: make(chan struct{}, 1), stop: stop,
		lazy: pool.Config().ConnConfig.RuntimeParams[synchronousCommit] == "off"}
	d.shown.read = d.readVolumesShown
	go d.wakeLoop(ctx)
	return d, nil
}

// Pool gives the pgx pool, for River's workers and for hot reads.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Ping tells whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.pool.Ping(ctx) }

// Close ends all connections.
func (d *DB) Close() {
	d.stop()
	_ = d.sql.Close()
	d.pool.Close()
}
