package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"clinker/internal/run"
	"clinker/testbed/wire"
)

// Command is a program to run in a guest: Args, and if need be Env, Dir, Input.
type Command = wire.Command

// Exec runs a program in the guest to its end and returns its standard output.
// Another exit status than 0 is a *run.ExitError. When ctx ends first, the
// program is killed with its children.
func (m *Machine) Exec(ctx context.Context, args ...string) ([]byte, error) {
	return m.Output(ctx, Command{Args: args})
}

// Output is Exec for a program with input, environment or folder.
func (m *Machine) Output(ctx context.Context, c Command) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	status, err := m.Stream(ctx, c, &stdout, &stderr)
	if err != nil {
		return stdout.Bytes(), err
	}
	if status != 0 {
		text := tail(strings.TrimSpace(stderr.String()), 1000)
		return stdout.Bytes(), &run.ExitError{Program: c.Args[0], Status: status, Stderr: text}
	}
	return stdout.Bytes(), nil
}

// Stream runs a program in the guest, copies its output as it comes, and returns
// its exit status; 128 + N if signal N ended it. An error means that the program
// could not be run or that its end is not known.
func (m *Machine) Stream(ctx context.Context, c Command, stdout, stderr io.Writer) (int, error) {
	access, ctx, cancel, err := m.reach(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	status, err := access.Stream(ctx, c, stdout, stderr)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("%s in guest %s: %w", strings.Join(c.Args, " "), m.options.Name, err)
	}
	return status, nil
}

// Stream is Machine.Stream for another process's machine.
func (a Access) Stream(ctx context.Context, c Command, stdout, stderr io.Writer) (int, error) {
	body, err := a.post(ctx, "/exec", c)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	for decoder := json.NewDecoder(body); ; {
		var event wire.Event
		if err := decoder.Decode(&event); err != nil {
			return 0, fmt.Errorf("its output broke off: %w", err)
		}
		if _, err := stdout.Write(event.Stdout); err != nil {
			return 0, err
		}
		if _, err := stderr.Write(event.Stderr); err != nil {
			return 0, err
		}
		if event.Error != "" {
			return 0, errors.New(event.Error)
		}
		if event.Exit != nil {
			return *event.Exit, nil
		}
	}
}
