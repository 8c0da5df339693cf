package rig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Directory makes a directory for a test: with a short path, for Unix sockets,
// and open to PostgreSQL's user. It goes when the test ends.
func Directory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "clinker-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// showLogs prints the ends of the logs in the directory if the test has failed.
func showLogs(t testing.TB, dir string) {
	if !t.Failed() {
		return
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, log := range logs {
		lines := 30
		if filepath.Base(log) == "postgres.log" || strings.HasSuffix(log, "tgtd.log") {
			lines = 5
		}
		t.Logf("==> %s\n%s", filepath.Base(log), Tail(log, lines))
	}
}
