package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"clinker/internal/fault"
)

// superuser is the role that initdb makes.
const superuser = "clinker"

// Options say where the server lives.
type Options struct {
	Directory string // of its data; made by initdb if it is not there; its parent must exist
	Volatile  bool   // for tests: no waiting for disks, data may be lost with the machine
	LogFile   string // "" keeps no log
}

// Server is a running PostgreSQL.
type Server struct {
	options Options
	socket  string // directory of the Unix socket
	account *account
	command *exec.Cmd
	exited  chan struct{} // closed when the process has ended
}

// Start makes the cluster if there is none, starts the server and waits until
// it answers. A server left over on the same directory by a killed process is
// ended first. Errors are sentences that tell how to mend it.
func Start(ctx context.Context, o Options) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	if err := account.reach(ctx, filepath.Dir(o.Directory)); err != nil {
		return nil, err
	}
	s := &Server{options: o, account: account, exited: make(chan struct{})}
	if err := s.initialize(ctx, bin); err != nil {
		return nil, err
	}
	s.endLeftover(ctx, bin)
	if s.socket, err = s.socketDirectory(); err != nil {
		return nil, err
	}
	if err := s.launch(bin); err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// binaries finds Debian's newest server, which is not on the PATH.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", fault.New(fault.Unavailable, "PostgreSQL is not installed: run apt-get install postgresql-15")
}

// initialize makes the cluster beside the directory, and gives it the directory's
// name when it is whole: of an initdb that was interrupted no start believes that it
// is a cluster.
func (s *Server) initialize(ctx context.Context, bin string) error {
	if _, err := os.Stat(filepath.Join(s.options.Directory, "PG_VERSION")); err == nil {
		return nil
	}
	unfinished := s.options.Directory + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := s.initdb(ctx, bin, unfinished); err != nil {
		return errors.Join(err, os.RemoveAll(unfinished))
	}
	if err := os.Remove(s.options.Directory); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Conflict, "%s is no directory of PostgreSQL's: move it away", s.options.Directory)
	}
	return os.Rename(unfinished, s.options.Directory)
}

// initdb makes a cluster in the directory dir, which is not there yet.
func (s *Server) initdb(ctx context.Context, bin, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the database directory: %w", err)
	}
	if err := s.account.own(dir); err != nil {
		return err
	}
	args := []string{"-D", dir, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"}
	if s.options.Volatile {
		args = append(args, "--no-sync")
	}
	command := s.account.command(exec.CommandContext(ctx, filepath.Join(bin, "initdb"), args...))
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// endLeftover stops a server that an earlier, killed process of ours left on
// this very directory. When there is none pg_ctl says so, and all is well.
func (s *Server) endLeftover(ctx context.Context, bin string) {
	if _, err := os.Stat(filepath.Join(s.options.Directory, "postmaster.pid")); err != nil {
		return
	}
	stop := exec.CommandContext(ctx, filepath.Join(bin, "pg_ctl"), "stop", "-D", s.options.Directory, "-m", "fast", "-w", "-t", "20")
	_ = s.account.command(stop).Run()
}

// socketPrefix begins the name of every socket directory.
const socketPrefix = "clinker-pg-"

// socketDirectory gives a short path: a Unix socket's may have 107 characters.
// Beside the data it is written where that is, so that one that a killed process
// left can be taken away.
func (s *Server) socketDirectory() (string, error) {
	note := filepath.Join(s.options.Directory, "clinker-socket")
	if old, err := os.ReadFile(note); err == nil && filepath.Dir(string(old)) == filepath.Clean(os.TempDir()) &&
		strings.HasPrefix(filepath.Base(string(old)), socketPrefix) {
		_ = os.RemoveAll(string(old))
	}
	dir, err := os.MkdirTemp("", socketPrefix)
	if err != nil {
		return "", fmt.Errorf("make the socket directory: %w", err)
	}
	if err := os.WriteFile(note, []byte(dir), 0o600); err != nil {
		return "", err
	}
	return dir, s.account.own(dir)
}

func (s *Server) launch(bin string) error {
	args := []string{"-D", s.options.Directory, "-k", s.socket, "-c", "listen_addresses=", "-c", "max_connections=200"}
	if s.options.Volatile {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_wal_size=256MB")
	}
	s.command = s.account.command(exec.Command(filepath.Join(bin, "postgres"), args...))
	s.command.SysProcAttr.Pdeathsig = syscall.SIGINT // PostgreSQL's fast shutdown
	s.command.SysProcAttr.Setpgid = true             // Ctrl-C at the terminal is ours to pass on, last
	if s.options.LogFile != "" {
		log, err := os.OpenFile(s.options.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open PostgreSQL's log: %w", err)
		}
		defer log.Close()
		s.command.Stdout, s.command.Stderr = log, log
	}
	if err := s.command.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	go func() { _ = s.command.Wait(); close(s.exited) }()
	return nil
}

// await tries to connect until the server answers or has ended.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := s.Exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fault.New(fault.Unavailable, "PostgreSQL ended as soon as it was started; its log is %s", s.options.LogFile)
		case <-ctx.Done():
			return fault.Wrap(err, fault.Timeout, "PostgreSQL did not answer within 30 s of its start")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// URL is how to connect to one of the server's databases.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.socket}}.Encode()
	return u.String()
}

// Exec runs one statement in the database postgres: to make and drop databases.
func (s *Server) Exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// EnsureDatabase makes a database unless it is there.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	return err
}

// PID is the process id of the server.
func (s *Server) PID() int { return s.command.Process.Pid }

// Directory is where the data is.
func (s *Server) Directory() string { return s.options.Directory }

// Exited is closed when the server has ended, by Stop or by itself.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Stop ends the server: running transactions are rolled back, all that was
// committed stays. May be repeated.
func (s *Server) Stop() error {
	_ = s.command.Process.Signal(syscall.SIGINT)
	select {
	case <-s.exited:
	case <-time.After(20 * time.Second):
		_ = s.command.Process.Signal(syscall.SIGQUIT)
		<-s.exited
	}
	return os.RemoveAll(s.socket)
}
