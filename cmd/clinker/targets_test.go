package main

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/conf"
)

// TestWithoutTgtd: a node whose tgtd does not run serves, and warns once. It is not
// parallel: the log is the process's.
func TestWithoutTgtd(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	socket := filepath.Join(t.TempDir(), "socket.0")
	exports, err := systemTargets{}.open(t.Context(), &conf.Backend{Name: "fast", TargetHelper: "tgt", TgtSocket: socket})
	if err != nil || exports == nil {
		t.Fatal(exports, err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for _, part := range []string{"level=WARN", "until tgtd runs: start it", "backend=fast", "tgt_socket=" + socket} {
		if len(lines) != 1 || !strings.Contains(lines[0], part) {
			t.Errorf("the log has no %q: %q", part, lines)
		}
	}
}
