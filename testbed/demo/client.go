package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// client is the openstack client, with the environment of an openrc.
type client struct {
	*teller
	environment []string
}

// source reads an openrc as a shell does.
func (c *client) source(ctx context.Context, openrc string) error {
	c.command("$", ". "+openrc)
	shell := exec.CommandContext(ctx, "sh", "-ec", `. "$0"; env`, openrc)
	shell.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/", "LC_ALL=C.UTF-8"}
	said, err := shell.Output()
	if err != nil {
		return fmt.Errorf("source %s: %w", openrc, err)
	}
	c.environment = nil
	for line := range strings.Lines(string(said)) {
		c.environment = append(c.environment, strings.TrimRight(line, "\n"))
	}
	return nil
}

// run shows and runs a command of the client; into is what its JSON is read
// into, nil for a command that answers nothing.
func (c *client) run(ctx context.Context, into any, args ...string) error {
	c.command("$", "openstack "+strings.Join(args, " "))
	return c.quiet(ctx, into, args...)
}

// quiet is run without showing: for questions that are asked again and again.
func (c *client) quiet(ctx context.Context, into any, args ...string) error {
	if into != nil {
		args = append(args, "-f", "json")
	}
	command := exec.CommandContext(ctx, "openstack", args...)
	command.Env = c.environment
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w: make deps-test installs it (Debian's python3-openstackclient)", err)
	} else if err != nil {
		return fmt.Errorf("openstack %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(stdout.Bytes(), into); err != nil {
		return fmt.Errorf("openstack %s answered no JSON: %w: %s", strings.Join(args, " "), err, stdout.String())
	}
	return nil
}

// volume is what `openstack volume show` says.
type volume struct {
	ID     string `json:"id"`
	Size   int    `json:"size"` // GiB
	Status string `json:"status"`
}

// await shows the volume until it is in the status; showLimit bounds it.
func (c *client) await(ctx context.Context, name, status string) (volume, error) {
	c.command("$", "openstack volume show "+name)
	ctx, cancel := context.WithTimeout(ctx, showLimit)
	defer cancel()
	for {
		var v volume
		if err := c.quiet(ctx, &v, "volume", "show", name); err != nil {
			return v, err
		}
		if v.Status == status {
			return v, nil
		}
		if ctx.Err() != nil || strings.HasPrefix(v.Status, "error") {
			return v, fmt.Errorf("the volume is %s, not %s", v.Status, status)
		}
	}
}

const showLimit = 30 * time.Second

// attachment is what `openstack volume attachment create --connect` says.
type attachment struct {
	ID         string `json:"ID"`
	Connection struct {
		IQN      string `json:"target_iqn"`
		Portal   string `json:"target_portal"`
		LUN      int    `json:"target_lun"`
		Method   string `json:"auth_method"`
		Username string `json:"auth_username"`
		Password string `json:"auth_password"`
	} `json:"Properties"`
}
