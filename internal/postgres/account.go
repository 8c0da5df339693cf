package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"clinker/internal/fault"
)

// account is the unprivileged user that the server runs as; nil when we are not
// root ourselves and it simply runs as us.
type account struct {
	name     string
	uid, gid int
}

// unprivileged picks Debian's postgres user, or nobody, when we are root.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		return &account{name, uid, gid}, nil
	}
	return nil, fault.New(fault.Unavailable, "PostgreSQL refuses to run as root and there is no user named postgres: run adduser --system postgres")
}

// reach tells whether the account can get at what is in dir: Forbidden, naming the first
// directory on the way that keeps it out.
func (a *account) reach(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if a == nil || err != nil || a.enters(ctx, dir) {
		return err
	}
	for _, at := range slices.Backward(ancestors(dir)) {
		if !a.enters(ctx, at) && ctx.Err() == nil {
			return fault.New(fault.Forbidden, "it runs as the user %s, who may not enter %s: choose another data directory, or run chmod o+x %s", a.name, at, at)
		}
	}
	return ctx.Err()
}

// enters asks the kernel, which knows of access lists too.
func (a *account) enters(ctx context.Context, dir string) bool {
	return a.command(exec.CommandContext(ctx, "test", "-x", dir)).Run() == nil
}

// ancestors are an absolute directory and all above it, the root last.
func ancestors(dir string) []string {
	all := []string{dir}
	for dir != "/" {
		dir = filepath.Dir(dir)
		all = append(all, dir)
	}
	return all
}

// own gives a directory to the account.
func (a *account) own(dir string) error {
	if a == nil {
		return nil
	}
	if err := os.Chown(dir, a.uid, a.gid); err != nil {
		return fmt.Errorf("give %s to PostgreSQL's user: %w", dir, err)
	}
	return nil
}

// command makes a command run as the account, in a clean environment.
func (a *account) command(c *exec.Cmd) *exec.Cmd {
	c.Dir = "/"
	c.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	c.SysProcAttr = &syscall.SysProcAttr{}
	if a != nil {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return c
}
