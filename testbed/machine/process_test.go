package machine

import (
	"context"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

const helperVariable = "TESTBED_TEST_ORPHAN"

// TestMain lets the test binary be a program that starts a child and is killed.
func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) == "" {
		os.Exit(m.Run())
	}
	child := exec.Command("cat")
	child.Stdin = os.NewFile(3, "never ends")
	child.ExtraFiles = []*os.File{os.NewFile(4, "alive")}
	if _, err := start(context.Background(), child, time.Hour, false); err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("started\n")
	select {}
}

// TestNoOrphan kills a program that has started a child. Both hold a pipe's
// writing end open: that it reads as ended shows that both are gone.
func TestNoOrphan(t *testing.T) {
	t.Parallel()
	never, neverWriter := pipe(t)
	alive, aliveWriter := pipe(t)
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperVariable+"=1")
	helper.ExtraFiles = []*os.File{never, aliveWriter}
	stdout, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	aliveWriter.Close()
	if _, err := io.ReadFull(stdout, make([]byte, len("started\n"))); err != nil {
		t.Fatal(err)
	}
	if err := helper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = helper.Wait()
	if _, err := io.ReadAll(alive); err != nil {
		t.Error(err)
	}
	neverWriter.Close()
}

func TestProcessEnds(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	for name, test := range map[string]struct {
		ctx      context.Context
		lifetime time.Duration
		end      func(*process)
	}{
		"by kill":     {t.Context(), time.Hour, (*process).kill},
		"by context":  {cancelled, time.Hour, func(*process) { cancel() }},
		"by lifetime": {t.Context(), time.Nanosecond, func(*process) {}},
	} {
		t.Run(name, func(t *testing.T) {
			child := exec.Command("cat")
			child.Stdin, _ = pipe(t)
			p, err := start(test.ctx, child, test.lifetime, false)
			if err != nil {
				t.Fatal(err)
			}
			test.end(p)
			<-p.ended
			p.kill() // may be repeated
		})
	}
}

func pipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close(); writer.Close() })
	return reader, writer
}
