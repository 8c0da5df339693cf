package db_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
)

// TestPgBouncer: what a pooler must do is said where one does not do it, and one that
// does is worked through.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	const ignore = "ignore_startup_parameters = synchronous_commit,plan_cache_mode\n"
	for name, c := range map[string]struct{ settings, said string }{
		"session":                   {"pool_mode = session\n" + ignore, ""},
		"session, not told":         {"pool_mode = session\n", "lacks ignore_startup_parameters = synchronous_commit,plan_cache_mode"},
		"transaction":               {"pool_mode = transaction\n" + ignore, "pool_mode = session"},
		"transaction, with traffic": {"pool_mode = transaction\nserver_round_robin = 1\n" + ignore, "pool_mode = session"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := db.Open(t.Context(), bouncer(t, dbtest.URL(t), c.settings), 4, db.LazyCommits, db.PlanOnce)
			if c.said != "" {
				if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.said) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if _, err := d.VolumeTypeByName(t.Context(), "__DEFAULT__", ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// bouncer runs Debian's PgBouncer in front of a database, until the test ends, and
// gives the URL to connect to. It runs as the owner of PostgreSQL's socket, for it
// refuses to be root.
func bouncer(t *testing.T, database, settings string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name, socket := strings.TrimPrefix(u.Path, "/"), u.Query().Get("host")
	dir, who := ownedLike(t, socket)
	path := filepath.Join(dir, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
%s = host=%s user=%s
[pgbouncer]
listen_addr =
unix_socket_dir = %s
auth_type = any
user = %s
%s`, name, socket, u.User.Username(), dir, who, settings)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("pgbouncer", path)
	if err := command.Start(); err != nil {
		t.Fatalf("%v: make deps-test installs it", err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	for range 1000 {
		if c, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.6432")); err == nil {
			_ = c.Close()
			return fmt.Sprintf("postgresql://clinker@/%s?host=%s&port=6432", name, url.QueryEscape(dir))
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("PgBouncer does not listen")
	return ""
}

// ownedLike makes a directory that belongs to the owner of another, and names that
// user.
func ownedLike(t *testing.T, other string) (dir, name string) {
	t.Helper()
	info, err := os.Stat(other)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	who, err := user.LookupId(strconv.Itoa(int(owner.Uid)))
	if err != nil {
		t.Fatal(err)
	}
	dir, err = os.MkdirTemp("", "clinker-pgbouncer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
	return dir, who.Username
}
