package run

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"clinker/internal/fault"
)

func TestOutput(t *testing.T) {
	t.Setenv("CLINKER_SECRET", "must not be inherited")
	out, err := Command{Args: []string{"sh", "-c", "cat; env"}, Input: []byte("in "), Env: []string{"A=b"}}.Output(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	if !strings.HasPrefix(text, "in ") || !strings.Contains(text, "A=b") || !strings.Contains(text, "LC_ALL=C") {
		t.Errorf("input or environment is missing: %s", text)
	}
	if strings.Contains(text, "CLINKER_SECRET") {
		t.Error("our environment leaked")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	_, err := Output(t.Context(), "sh", "-c", "echo why >&2; exit 7")
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Status != 7 || exit.Stderr != "why" {
		t.Errorf("exit status: %v", err)
	}
	if _, err := Output(t.Context(), "no-such-program-at-all"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("missing program: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Output(ctx, "sleep", "60"); !fault.Is(err, fault.Timeout) {
		t.Errorf("deadline: %v", err)
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	out, err := Output(t.Context(), "head", "-c", "20000000", "/dev/zero")
	if err != nil || len(out) != maxOutput {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

// What runs beside a program has its id for as long as it needs it, and is told
// when the program has ended.
func TestBeside(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"true"}, {"sh", "-c", "echo a; exit 3"}, {"sleep", "0.05"}} {
		told := 0
		_, _ = Command{Args: args, Beside: func(ctx context.Context, pid int) {
			<-ctx.Done()
			if err := syscall.Kill(pid, 0); err != nil { // it is there until it is waited for
				t.Errorf("%v: %v", args, err)
			}
			told = pid
		}}.Output(t.Context())
		if told == 0 {
			t.Errorf("%v: nothing ran beside it", args)
		}
	}
	if _, err := (Command{Args: []string{"/no/such/program"}, Beside: func(context.Context, int) { t.Error("called") }}).Output(t.Context()); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Command{Args: []string{"sleep", "60"}, Beside: func(ctx context.Context, _ int) { <-ctx.Done() }}.Output(ctx)
	if !fault.Is(err, fault.Timeout) {
		t.Error(err)
	}
}

// TestRemedy: who misses a program is told the package.
func TestRemedy(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		"iscsiadm": ": run apt-get install open-iscsi", "vgs": ": run apt-get install lvm2", "no-such-program-at-all": "",
	} {
		if got := remedy(program); got != want {
			t.Errorf("%s%s, want %q", program, got, want)
		}
	}
}
