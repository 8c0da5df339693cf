package scheduler_test

import (
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
)

// line is a connection to the database that can be cut in an instant.
type line struct {
	url      string
	listener net.Listener
	mu       sync.Mutex
	open     []net.Conn
	severed  bool
}

// newLine listens on a Unix socket of its own, as PostgreSQL does.
func newLine(r *rig, to string) *line {
	u, err := url.Parse(to)
	if err != nil {
		r.Fatal(err)
	}
	server := filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")
	dir, err := os.MkdirTemp("", "line")
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = os.RemoveAll(dir) })
	u.RawQuery = url.Values{"host": {dir}}.Encode()
	l := &line{url: u.String()}
	if l.listener, err = net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432")); err != nil {
		r.Fatal(err)
	}
	go l.serve(server)
	return l
}

func (l *line) serve(server string) {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("unix", server)
		if err != nil || !l.keep(from, to) {
			_ = from.Close()
			continue
		}
		go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
		go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
	}
}

func (l *line) keep(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.severed {
		l.open = append(l.open, conns...)
	}
	return !l.severed
}

// cut ends all connections and takes no new ones.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.severed = true
	_ = l.listener.Close()
	for _, c := range l.open {
		_ = c.Close()
	}
}
