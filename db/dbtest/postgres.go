// Package dbtest gives each test a database of its own on a private PostgreSQL
// server, which the first test of a process starts under a temporary directory
// and which ends with the process.
package dbtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"clinker/db"
	"clinker/internal/postgres"
)

// template is a database that has been migrated once; tests copy it, which
// takes some tens of milliseconds where migrating takes a second.
const template = "clinker_template"

var (
	once   sync.Once
	server *postgres.Server
	failed error
	number atomic.Int64
)

// Open gives a migrated database that nobody else uses. It is dropped, and its
// connections closed, when the test ends.
func Open(t testing.TB) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), URL(t), 16)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// URL is Open for those who want to connect themselves.
func URL(t testing.TB) string {
	t.Helper()
	once.Do(func() { failed = start() })
	if failed != nil {
		t.Fatalf("start PostgreSQL for the tests (make deps installs it): %v", failed)
	}
	name := fmt.Sprintf("test_%d", number.Add(1))
	if err := server.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return server.URL(name)
}

// Main runs a package's tests and stops the server: for TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if server != nil {
		_ = server.Stop()
		_ = os.RemoveAll(filepath.Dir(server.Directory()))
	}
	os.Exit(code)
}

func start() error {
	ctx := context.Background()
	dir, err := os.MkdirTemp(inMemory(), "clinker-postgres-")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	server, err = postgres.Start(ctx, postgres.Options{Directory: filepath.Join(dir, "data"), Volatile: true})
	if err != nil {
		return err
	}
	if err := server.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	d, err := db.Open(ctx, server.URL(template), 4)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Migrate(ctx)
}

// inMemory gives a directory on a file system in memory, if there is one with room
// for the databases of all tests: on a disk, the hundreds of files of each take half a
// second.
func inMemory() string {
	const directory, room = "/dev/shm", 2 << 30
	var fs unix.Statfs_t
	if unix.Statfs(directory, &fs) != nil || fs.Type != unix.TMPFS_MAGIC || fs.Bavail*uint64(fs.Bsize) < room {
		return "" // wherever temporary files are
	}
	return directory
}

// Rows reads one column of text, for tests that look at what was written.
func Rows(t testing.TB, d *db.DB, sql string, args ...any) []string {
	t.Helper()
	rows, err := d.Pool().Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
