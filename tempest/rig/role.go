package rig

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Role is one of clinker's long-running subcommands, which can be killed and
// started again.
type Role struct {
	Name    string // for messages; its log is Name.log
	Process *Process
	port    int
	log     string
	args    []string
}

// startLimit is how long a role may take to open its port.
const startLimit = 20 * time.Second

func (c *Cloud) role(t testing.TB, name, conf, subcommand string, port int) *Role {
	t.Helper()
	return &Role{Name: name, port: port, log: filepath.Join(c.Dir, name+".log"),
		args: []string{Binary(t), "--config", conf, subcommand}}
}

// Start runs the role and returns when its port is open.
func (r *Role) Start() error {
	p, err := start(r.log, syscall.SIGKILL, nil, r.args...)
	if err != nil {
		return err
	}
	r.Process = p
	return r.await()
}

func (r *Role) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-r.Process.Ended():
			return fmt.Errorf("%s ended with exit status %d: %s", r.Name, r.Process.ExitStatus(), Tail(r.log, 3))
		case <-ctx.Done():
			return fmt.Errorf("%s does not listen after %s: %s", r.Name, startLimit, Tail(r.log, 3))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Port is the one that the role listens on, at 127.0.0.1.
func (r *Role) Port() int { return r.port }

// Kill ends the role without notice.
func (r *Role) Kill() {
	if r.Process != nil {
		r.Process.Kill()
	}
}

// LogLines gives the last lines of the role's log that hold a text.
func (r *Role) LogLines(text string, most int) []string {
	data, err := os.ReadFile(r.log)
	if err != nil {
		return nil
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, text) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines[max(0, len(lines)-most):]
}
