package testbed

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// suiteTimeout bounds one suite in the guest, where all is five to ten times
// slower than on the host.
const suiteTimeout = 12 * time.Minute

// timeLeft is for a suite what it may take: less if the test has to end before
// (go test -timeout), so that a suite that hangs says where, and in which test.
func timeLeft(t testing.TB) time.Duration {
	if limited, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := limited.Deadline(); ok {
			return min(suiteTimeout, time.Until(deadline)-30*time.Second)
		}
	}
	return suiteTimeout
}

// RunPackage compiles the tests of a package of this module and runs them in the
// guest, in a folder with the package's testdata.
func (vm *VM) RunPackage(t testing.TB, importPath string, args ...string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), path.Base(importPath)+".test")
	compile := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, importPath)
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("compile the tests of %s: %v\n%s", importPath, err, output)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%s has no tests", importPath)
	}
	output, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", importPath).Output()
	check(t, err)
	testdata := filepath.Join(strings.TrimSpace(string(output)), "testdata")
	if _, err := os.Stat(testdata); err == nil {
		check(t, vm.PutDir(t.Context(), path.Join(folder(binary), "testdata"), testdata))
	}
	vm.RunTests(t, binary, args...)
}

// folder is where a test binary runs in the guest.
func folder(binary string) string { return path.Join("/tmp", filepath.Base(binary)+".d") }

// RunTests copies a test binary into the guest and runs it there, with its output
// in the test's log. The test fails if it fails, or if nothing in it passed: a
// suite that skips everything would otherwise look fine.
func (vm *VM) RunTests(t testing.TB, binary string, args ...string) {
	t.Helper()
	dir := folder(binary)
	inside := path.Join(dir, filepath.Base(binary))
	check(t, vm.PutFile(t.Context(), inside, binary))
	defer vm.remove(t, inside)
	limit := max(timeLeft(t), time.Second)
	command := Command{
		Args: append([]string{inside, "-test.v", "-test.timeout=" + limit.String()}, args...),
		Dir:  dir,
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit+10*time.Second)
	defer cancel()
	out := &lineLog{t: t}
	status, err := vm.Stream(ctx, command, out, out)
	out.flush()
	check(t, err)
	if status != 0 {
		t.Errorf("%s in guest %s: exit status %d", filepath.Base(binary), vm.Name(), status)
	} else if out.passed == 0 {
		t.Errorf("%s in guest %s: no test passed", filepath.Base(binary), vm.Name())
	}
}

// remove gives the guest its memory back.
func (vm *VM) remove(t testing.TB, file string) {
	if _, err := vm.Exec(context.WithoutCancel(t.Context()), "rm", "-f", file); err != nil {
		t.Log(err)
	}
}

// lineLog writes whole lines to a test's log and counts the tests that passed.
type lineLog struct {
	t      testing.TB
	rest   string
	passed int
}

var _ io.Writer = (*lineLog)(nil)

func (l *lineLog) Write(p []byte) (int, error) {
	l.rest += string(p)
	for {
		line, rest, found := strings.Cut(l.rest, "\n")
		if !found {
			return len(p), nil
		}
		l.rest = rest
		l.line(line)
	}
}

func (l *lineLog) flush() {
	if l.rest != "" {
		l.line(l.rest)
		l.rest = ""
	}
}

func (l *lineLog) line(line string) {
	if strings.HasPrefix(strings.TrimSpace(line), "--- PASS:") {
		l.passed++
	}
	l.t.Log("guest: " + line)
}
